// <player-timeline>: the slider of a player, its loop as a band, comments as pins.
// It knows no video: it is told the time and says, by bubbling events, what a person wants:
// `timeline-seek` {ms} and `timeline-pin` {id, ms}.
import { Thumbnails } from "../lib/thumbnails.js";
import { timecode } from "../lib/timecode.js";

export class PlayerTimeline extends HTMLElement {
  connectedCallback() {
    this.#slider.addEventListener("input", () => this.#tell("timeline-seek", { ms: Number(this.#slider.value) }));
    this.addEventListener("pointermove", (event) => this.#peek(event));
    this.addEventListener("pointerleave", () => (this.#preview.hidden = true));
    this.#show(0);
  }

  /** The address of the map of thumbnails. */
  set thumbnails(url) {
    this.#thumbnails = new Thumbnails(url);
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

  #thumbnails = null;
  #loop = null;
  #pins = [];

  get #slider() {
    return this.querySelector(".timeline__slider");
  }

  get #length() {
    return Number(this.#slider.max) || 1;
  }

  get #preview() {
    return this.querySelector(".timeline__preview");
  }

  /** Shows the moment under the mouse, or under the finger that drags: its picture and its time. */
  async #peek({ clientX, pointerType, buttons }) {
    if (!this.#thumbnails || (pointerType !== "mouse" && !buttons)) return;
    const { left, width } = this.querySelector(".timeline__track").getBoundingClientRect();
    const share = Math.min(Math.max((clientX - left) / width, 0), 0.9999);
    const preview = this.#preview;
    if (!(await this.#thumbnails.show(preview.querySelector(".timeline__tile"), share))) return;
    if (pointerType === "mouse" && !this.matches(":hover")) return;
    preview.querySelector("output").textContent = timecode(share * this.#length);
    preview.hidden = false;
    const half = preview.offsetWidth / 2 / width;
    preview.style.insetInlineStart = this.#shareOf(Math.min(Math.max(share, half), 1 - half));
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
    return this.#shareOf(ms / this.#length);
  }

  #shareOf(part) {
    return `${Math.min(Math.max(part, 0), 1) * 100}%`;
  }
}
