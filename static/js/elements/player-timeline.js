// <player-timeline>: the slider of a player, its loop as a band, comments as pins.
// It knows no video: it is told the time and says, by bubbling events, what a person wants:
// `timeline-seek` {ms} and `timeline-pin` {id, ms}.
import { timecode } from "../lib/timecode.js";

export class PlayerTimeline extends HTMLElement {
  connectedCallback() {
    this.#slider.addEventListener("input", () => this.#tell("timeline-seek", { ms: Number(this.#slider.value) }));
    this.#show(0);
  }

  /** The length in milliseconds. */
  set length(ms) {
    this.#slider.max = String(Math.round(ms));
    this.#placePins();
    this.#placeLoop();
  }

  /** The moment shown, in milliseconds. */
  set now(ms) {
    this.#slider.value = String(Math.round(ms));
    this.#show(ms);
  }

  /** The loop as [from, to] in milliseconds, or null. */
  set loop(ends) {
    this.#loop = ends;
    this.#placeLoop();
  }

  /** Comments as {id, ms, label, instructor}. */
  set pins(pins) {
    this.#pins = pins;
    this.#placePins();
  }

  /** The id of the comment that belongs to the moment shown, or null. */
  set current(id) {
    for (const pin of this.querySelectorAll(".timeline__pin")) pin.toggleAttribute("data-current", pin.dataset.id === id);
  }

  #loop = null;
  #pins = [];

  get #slider() {
    return this.querySelector(".timeline__slider");
  }

  get #length() {
    return Number(this.#slider.max) || 1;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  #show(ms) {
    this.querySelector(".timeline__done").style.inlineSize = this.#share(ms);
    this.#slider.setAttribute("aria-valuetext", timecode(ms));
  }

  #placeLoop() {
    const band = this.querySelector(".timeline__loop");
    band.hidden = !this.#loop;
    if (!this.#loop) return;
    const [from, to] = this.#loop;
    band.style.insetInlineStart = this.#share(from);
    band.style.inlineSize = this.#share(to - from);
  }

  #placePins() {
    const buttons = this.#pins.map((pin) => this.#pinButton(pin));
    this.querySelector(".timeline__pins").replaceChildren(...buttons);
  }

  #pinButton({ id, ms, label, instructor }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "timeline__pin";
    button.dataset.id = id;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.toggleAttribute("data-instructor", instructor);
    button.style.insetInlineStart = this.#share(ms);
    button.addEventListener("click", () => this.#tell("timeline-pin", { id, ms }));
    return button;
  }

  #share(ms) {
    return `${Math.min(Math.max(ms / this.#length, 0), 1) * 100}%`;
  }
}
