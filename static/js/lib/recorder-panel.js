// What the recorder shows: the parts that belong to the state it is in, and the figures that run.
import { clock } from "./timecode.js";

export class RecorderPanel {
  #root;
  #frame = 0;

  /** Works in the element `root`, whose parts name the states in which they are shown. */
  constructor(root) {
    this.#root = root;
  }

  /** "asking", "refused", "ready", "counting", "recording", "paused", or "review". */
  get state() {
    return this.#root.dataset.state;
  }

  part(name) {
    return this.#root.querySelector(`[data-part=${name}]`);
  }

  /** Shows what belongs to `state`, says `words` to those who listen, and moves the focus to what comes first. */
  show(state, words = "") {
    this.#root.dataset.state = state;
    this.part("spoken").textContent = words;
    for (const element of this.#root.querySelectorAll("[data-when]")) {
      element.hidden = !element.dataset.when.split(" ").includes(state);
    }
    this.#root.querySelector("[data-first]:not([hidden] *, [hidden])")?.focus();
  }

  /** Shows why there is no picture. */
  refuse(sentence) {
    this.part("sentence").textContent = sentence;
    this.show("refused");
  }

  /** Shows at every frame how loud it is and how far the recording is; `now()` gives `{loudness, recording}`. */
  follow(now) {
    const { loudness, recording } = now();
    this.part("level").value = loudness;
    if (recording) {
      this.part("clock").textContent = clock(Math.floor(recording.elapsedMs / 1000));
      this.part("sent").textContent = recording.progress;
    }
    this.#frame = requestAnimationFrame(() => this.follow(now));
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }
}
