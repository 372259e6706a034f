// <practice-player>: practice tools around a native <video>. Says `player-time` {ms} whenever another moment is shown.
//
// Note [One transport]
// Mirroring turns the whole element, the native controls with it. So, once this element runs, the native controls
// give way to the deck below the picture, which does everything they did; without it, they stay.
import { Deck } from "../lib/deck.js";
import { frameRate, frameTime } from "../lib/frames.js";
import { toggleFullscreen } from "../lib/fullscreen.js";
import { commandElsewhere, commandOf } from "../lib/keys.js";
import { Practice } from "../lib/practice.js";
import { Recovery } from "../lib/recover.js";

export class PracticePlayer extends HTMLElement {
  connectedCallback() {
    this.#video = this.querySelector("video");
    if (!this.#video) return; // it is still being prepared
    this.#deck = new Deck(this);
    this.#recovery = new Recovery(this.#video);
    this.#video.controls = false;
    this.timeline.thumbnails = this.#video.dataset.thumbnails;
    this.#listenToVideo();
    this.#listenToPerson();
    this.#practice = new Practice(this.#video, this.#deck, this.hasAttribute("data-shares"));
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#onKeyElsewhere);
  }

  /** The moment shown, in milliseconds. */
  get currentMs() {
    return Math.round((this.#video?.currentTime ?? 0) * 1000);
  }

  get timeline() {
    return this.querySelector("player-timeline");
  }

  pause() {
    this.#video.pause();
  }

  /** Goes to a moment, stops there, and brings the player into view and focus. */
  showMoment(ms) {
    if (!this.#video) return;
    this.pause();
    this.#seek(ms / 1000);
    this.scrollIntoView({ block: "nearest" });
    this.querySelector(".timeline__slider").focus({ preventScroll: true });
  }

  #video;
  #deck;
  #practice;
  #recovery;

  #commands = {
    play: () => (this.#video.paused ? this.#video.play().catch(() => {}) : this.pause()),
    back: () => this.#seekBy(-5),
    forward: () => this.#seekBy(5),
    "second-back": () => this.#seekBy(-1),
    "second-forward": () => this.#seekBy(1),
    "frame-back": () => this.#step(-1),
    "frame-forward": () => this.#step(1),
    "loop-a": () => this.#practice.loopFromHere(),
    "loop-b": () => this.#practice.loopToHere(),
    "loop-clear": () => this.#practice.clearLoop(),
    mirror: () => this.#practice.turnMirror(),
    slower: () => this.#practice.changeSpeed(-1),
    faster: () => this.#practice.changeSpeed(1),
    mute: () => (this.#video.muted = !this.#video.muted),
    fullscreen: () => toggleFullscreen(this, this.#video),
    keys: () => this.querySelector("dialog").showModal(),
    reload: () => location.reload(),
  };

  #listenToVideo() {
    const on = (names, handler) => names.split(" ").forEach((name) => this.#video.addEventListener(name, handler));
    on("seeking seeked pause", () => this.#showTime());
    on("play", () => this.#follow());
    on("play pause ended", () => this.toggleAttribute("data-playing", !this.#video.paused));
    on("volumechange", () => this.#deck.showPressed("mute", this.#video.muted, "data-muted"));
    on("click", () => this.#commands.play());
    on("loadedmetadata", () => this.#measure());
    on("error", () => this.#recovery.try() || this.#showProblem());
    if (this.#video.readyState) this.#measure();
    if (this.#video.error) this.#showProblem();
  }

  #listenToPerson() {
    this.addEventListener("click", (event) => this.#commands[event.target.closest("button")?.dataset.command]?.());
    this.addEventListener("keydown", (event) => this.#onKey(commandOf(event), event));
    document.addEventListener("keydown", this.#onKeyElsewhere);
    this.addEventListener("timeline-seek", (event) => this.#seek(event.detail.ms / 1000));
    this.querySelector("select").addEventListener("change", (event) => this.#practice.setSpeed(Number(event.target.value)));
  }

  // A page's only player listens everywhere on it.
  #onKeyElsewhere = (event) => {
    if (this.contains(event.target) || document.querySelectorAll("practice-player").length > 1) return;
    this.#onKey(commandElsewhere(event), event);
  };

  #onKey(command, event) {
    if (!command) return;
    event.preventDefault();
    this.#commands[command]();
  }

  async #showProblem() {
    this.#deck.showProblem(await this.#recovery.reason());
  }

  #measure() {
    this.timeline.length = this.#video.duration * 1000;
  }

  #seek(seconds) {
    this.#video.currentTime = Math.min(Math.max(seconds, 0), this.#video.duration || Infinity);
  }

  #seekBy(seconds) {
    this.#seek(this.#video.currentTime + seconds);
  }

  #step(frames) {
    this.pause();
    const rate = frameRate(this.dataset.frameRateNum, this.dataset.frameRateDen);
    this.#seek(frameTime(this.#video.currentTime, frames, rate, this.#video.duration || Infinity));
  }

  #follow() {
    this.#showTime();
    if (!this.#video.paused) requestAnimationFrame(() => this.#follow());
  }

  #showTime() {
    this.#deck.showTime(this.currentMs);
    this.dispatchEvent(new CustomEvent("player-time", { bubbles: true, detail: { ms: this.currentMs } }));
  }
}
