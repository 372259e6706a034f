// One recording: a take of the camera, and the source that sends it meanwhile.
import { Take } from "./recording-take.js";
import { fileSize } from "./transfer-figures.js";

const LONGEST_MS = 30 * 60_000; // a browser's memory grows while it records
const LONG_ENOUGH = "A recording ends after 30 minutes. All of it is here.";

export class Recording {
  #take;
  #newSource;
  #source = null;
  #sending = null;
  #acknowledged = 0;
  #reason = "";

  /** `newSource(mimeType)` gives what sends it; `onEnd(recording)` is told when it has stopped, for whatever reason. */
  constructor(stream, newSource, onEnd) {
    this.#newSource = newSource;
    this.#take = new Take(stream, (blob, elapsedMs) => this.#onChunk(blob, elapsedMs), () => this.#onStopped(onEnd));
  }

  /** The source that sends it; null before the first picture was recorded. */
  get source() {
    return this.#source;
  }

  /** The promise of the video, once it has stopped. */
  get sending() {
    return this.#sending;
  }

  /** Why it ended, if nobody has stopped it. */
  get reason() {
    return this.#reason;
  }

  get elapsedMs() {
    return this.#take.elapsedMs;
  }

  /** "sent 12.4 MB of 12.9 MB", or "all sent". */
  get progress() {
    const bytes = this.#source?.sizeBytes ?? 0;
    const isAllSent = this.#sending && this.#acknowledged >= bytes;
    return isAllSent ? "all sent" : `sent ${fileSize(this.#acknowledged)} of ${fileSize(bytes)}`;
  }

  /** Resolves once pictures are recorded. */
  async start() {
    await this.#take.start();
    this.#source = this.#newSource(this.#take.mimeType);
    this.#source.onStep = ({ acknowledged }) => (this.#acknowledged = acknowledged);
  }

  pause() {
    this.#take.pause();
  }

  resume() {
    this.#take.resume();
  }

  /** Sends on what was recorded so far. */
  flush() {
    this.#take.flush();
  }

  /** Ends it; `reason` is a sentence when nobody asked for it. */
  stop(reason = "") {
    this.#reason = reason;
    this.#take.stop();
  }

  #onChunk(blob, elapsedMs) {
    this.#source?.append(blob, elapsedMs);
    if (elapsedMs > LONGEST_MS) this.stop(LONG_ENOUGH);
  }

  #onStopped(onEnd) {
    this.#sending = this.#source?.send();
    this.#sending?.catch(() => {}); // whoever uses it meets it
    onEnd(this);
  }
}
