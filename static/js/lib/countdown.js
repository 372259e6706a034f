// 3, 2, 1.
const STEP_MS = 1000;

export class Countdown {
  #timer = 0;

  /** Gives `onNumber` from, from − 1, …, 1, a second apart, and a second later calls `onZero`. */
  start(from, onNumber, onZero) {
    this.stop();
    onNumber(from);
    this.#timer = setInterval(() => {
      from -= 1;
      if (from > 0) return onNumber(from);
      this.stop();
      onZero();
    }, STEP_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}
