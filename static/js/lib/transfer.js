// One video on its way: a source followed to its video, and the row that says how far it is.
import { leaveFreely, warnOnLeaving } from "./leaving.js";
import { TransferRow } from "./transfer-row.js";

const GOES_ON = "waiting for the connection. It goes on by itself.";
const SERVER_BUSY = "the server is busy. It goes on by itself.";
const NOT_A_VIDEO = "This is not a video that can be played.";

export class Transfer {
  #source;
  #row;
  #onVideo;
  #isPaused = false;
  #isOver = false;

  /** Shows the row, made from `template`, at the end of `host`; `onVideo(id)` is given the key of the video. */
  constructor(source, { template, host, name, onVideo }) {
    this.#source = source;
    source.onStep = (step) => this.#note(step);
    this.#onVideo = onVideo;
    this.#row = new TransferRow(template, host, { name, blob: source.file, onlyCopy: source.onlyCopy });
  }

  get source() {
    return this.#source;
  }

  get row() {
    return this.#row;
  }

  /** Follows the source to its video; `sending` is the promise of it when it sends already. */
  async follow(sending = this.#source.send()) {
    warnOnLeaving();
    try {
      const video = await sending;
      if (!this.#isOver) this.#take(video);
    } catch (problem) {
      if (this.#isOver || problem.name === "AbortError") return;
      this.#row.showProblem(problem.message, { isRefused: problem.isRefusal, needsLogIn: problem.needsLogIn });
    }
    leaveFreely();
  }

  pause() {
    this.#isPaused = true;
    this.#source.pause();
    this.#row.showPaused();
  }

  resume() {
    this.#isPaused = false;
    this.#row.showSending();
    this.#source.resume();
  }

  /** Tries the same once more. */
  again() {
    this.#isPaused = false;
    this.#row.showSending();
    this.follow();
  }

  /** Lets the video be: what was sent waits for the page's return. */
  stop() {
    this.#isOver = true;
    this.#source.stop();
    leaveFreely();
  }

  /** Throws away what was sent, and the row. */
  cancel() {
    this.#isOver = true;
    this.#source.cancel();
    this.#row.remove();
    leaveFreely();
  }

  /** Forgets what was kept for the case that something fails: all has arrived. */
  finish() {
    this.#source.forget();
    leaveFreely();
  }

  #note({ acknowledged, sent, problem }) {
    if (this.#isPaused || this.#isOver) return;
    const total = this.#source.sizeBytes;
    if (!problem && total && acknowledged >= total) return this.#row.showChecking();
    const hold = problem && (problem.status ? SERVER_BUSY : GOES_ON);
    this.#row.showProgress({ acknowledged, sent, total }, hold);
  }

  #take({ id, state, failure }) {
    if (state === "failed") {
      this.#source.forget();
      this.#row.showProblem(failure || NOT_A_VIDEO, { isRefused: true });
      return;
    }
    this.#row.showReady("Sent. Your video is ready.");
    this.#onVideo(id);
  }
}
