// The offer to finish a recording that a crashed or closed tab has left on this device.
import { unfinishedRecording } from "./recording-recovery.js";
import { clock } from "./timecode.js";

export class RecordingOffer {
  #place;
  #words;
  #source = null;

  /** Shows itself in `place` and says in `words` what was recorded; hidden while there is nothing to offer. */
  constructor(place, words) {
    this.#place = place;
    this.#words = words;
  }

  /** Looks for a recording that was begun at `path` of the site, and offers the newest. */
  async look(calls, path) {
    this.#source = await unfinishedRecording(calls, path);
    if (!this.#source) return;
    const { startedAt, elapsedMs } = this.#source.record;
    const when = new Date(startedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.#words.textContent = `You recorded ${clock(Math.round(elapsedMs / 1000))} here, ${when}, and did not finish.`;
    this.show(true);
  }

  /** Shows it, if there is something to offer, or hides it. */
  show(is) {
    this.#place.hidden = !is || !this.#source;
  }

  /** Returns the source that sends it, and offers it no more. */
  take() {
    const source = this.#source;
    this.#source = null;
    this.show(false);
    return source;
  }
}
