// The way someone practises: loop, speed and mirror, applied to the video, shown on the deck, kept in the address.
import { Loop } from "./loop.js";
import { keepState, nextSpeed, readState } from "./practice-state.js";

export class Practice {
  #video;
  #deck;
  #shared;
  #loop;
  #mirror = false;

  /** `shared`: whether the address of the page says it. */
  constructor(video, deck, shared) {
    this.#video = video;
    this.#deck = deck;
    this.#loop = new Loop(video);
    this.#shared = shared;
    if (shared) this.#restore(readState(location.search));
  }

  loopFromHere() {
    this.#loop.setA(this.#video.currentTime);
    this.#showLoop();
  }

  loopToHere() {
    this.#loop.setB(this.#video.currentTime);
    this.#showLoop();
  }

  clearLoop() {
    this.#loop.clear();
    this.#showLoop();
  }

  turnMirror(mirror = !this.#mirror) {
    this.#mirror = mirror;
    this.#deck.showPressed("mirror", mirror, "data-mirrored");
    this.#keep();
  }

  setSpeed(speed) {
    this.#video.playbackRate = speed;
    this.#deck.showSpeed(speed);
    this.#keep();
  }

  /** One step slower (-1) or faster (+1). */
  changeSpeed(step) {
    this.setSpeed(nextSpeed(this.#video.playbackRate, step));
  }

  #showLoop() {
    this.#deck.showLoop(this.#loop);
    this.#keep();
  }

  #restore({ loop, speed, mirror }) {
    if (loop) {
      this.#loop.set(...loop);
      this.#video.currentTime = this.#loop.from; // before the video is there: it then begins here
      this.#showLoop();
    }
    this.setSpeed(speed);
    this.turnMirror(mirror);
  }

  #keep() {
    if (!this.#shared) return;
    const loop = this.#loop.active ? [this.#loop.from, this.#loop.to] : null;
    keepState({ loop, speed: this.#video.playbackRate, mirror: this.#mirror });
  }
}
