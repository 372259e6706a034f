// One take of the camera: MediaRecorder with its clock.

const CHUNK_MS = 1000;

// H.264 first: it is copied, not encoded anew, into what every device plays. What the browser really makes is
// told by `mimeType` once it has begun.
const TYPES = [
  "video/mp4;codecs=avc1.42E01F,mp4a.40.2",
  "video/mp4;codecs=avc1.42E01F,opus",
  "video/webm;codecs=h264,opus",
  "video/webm;codecs=vp8,opus",
  "video/webm",
  "video/mp4",
];
// Chromium gives MP4 by whole groups of pictures: with its own interval nothing came for 5 s, with this one every second.
const OPTIONS = { videoBitsPerSecond: 4_000_000, videoKeyFrameIntervalDuration: CHUNK_MS };

/** Whether this browser can record at all. */
export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);
}

export class Take {
  #recorder;
  #onChunk;
  #stopped;
  #elapsedMs = 0;
  #since = null;

  /** `onChunk(blob, elapsedMs)` is given about every second what was recorded; `onEnd()` is told when it stopped. */
  constructor(stream, onChunk, onEnd) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.#onChunk = onChunk;
    this.#recorder = new MediaRecorder(stream, { mimeType, ...OPTIONS });
    this.#recorder.addEventListener("dataavailable", ({ data }) => data.size && this.#onChunk(data, this.elapsedMs));
    this.#stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
    this.#stopped.then(onEnd);
  }

  get mimeType() {
    return this.#recorder.mimeType;
  }

  get elapsedMs() {
    return this.#elapsedMs + (this.#since === null ? 0 : performance.now() - this.#since);
  }

  get isPaused() {
    return this.#recorder.state === "paused";
  }

  /** Resolves once the camera's pictures are being recorded and `mimeType` is final. */
  start() {
    const started = new Promise((resolve) => this.#recorder.addEventListener("start", resolve, { once: true }));
    this.#recorder.start(CHUNK_MS);
    return started.then(() => (this.#since = performance.now()));
  }

  pause() {
    this.#elapsedMs = this.elapsedMs;
    this.#since = null;
    this.#recorder.pause();
  }

  resume() {
    this.#recorder.resume();
    this.#since = performance.now();
  }

  /** Gives what was recorded so far, before the browser may put the page to sleep. */
  flush() {
    if (this.#recorder.state !== "inactive") this.#recorder.requestData();
  }

  /** Resolves once the last chunk was given. */
  stop() {
    this.#elapsedMs = this.elapsedMs;
    this.#since = null;
    if (this.#recorder.state !== "inactive") this.#recorder.stop(); // else the camera went away, and it stops by itself
    return this.#stopped;
  }
}
