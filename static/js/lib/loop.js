// The A–B loop.
//
// Note [Watching for B]
// `timeupdate` comes four times a second, too late for a loop of one step. A frame callback comes with every frame,
// so the jump back happens within one; where there is none, the next animation frame stands in.

const SHORTEST_S = 0.1;

export class Loop {
  #video;
  #watching = false;
  from = null;
  to = null;

  constructor(video) {
    this.#video = video;
    video.addEventListener("play", () => this.#watch());
    video.addEventListener("ended", () => this.#restart());
  }

  get active() {
    return this.from !== null && this.to !== null;
  }

  /** Sets one end (seconds); an end on the wrong side of the other one pushes that one away. */
  set(from, to) {
    this.from = from;
    this.to = to;
    if (this.active && this.to - this.from < SHORTEST_S) {
      this.to = Math.min(this.from + SHORTEST_S, this.#video.duration || Infinity);
    }
    this.#watch();
  }

  setA(seconds) {
    this.set(seconds, this.to !== null && this.to > seconds ? this.to : null);
  }

  setB(seconds) {
    this.set(this.from !== null && this.from < seconds ? this.from : 0, seconds);
  }

  clear() {
    this.from = null;
    this.to = null;
  }

  #watch() {
    if (this.#watching || !this.active || this.#video.paused) return;
    this.#watching = true;
    const again = () => {
      this.#watching = false;
      if (this.active && this.#video.currentTime >= this.to) this.#video.currentTime = this.from;
      this.#watch();
    };
    if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(again);
    else requestAnimationFrame(again);
  }

  #restart() {
    if (!this.active) return;
    this.#video.currentTime = this.from;
    this.#video.play().catch(() => {});
  }
}
