// What a player's deck shows. It decides nothing.
import { timecode } from "./timecode.js";

export class Deck {
  #player;

  constructor(player) {
    this.#player = player;
    this.#find(".deck").hidden = false;
  }

  get timeline() {
    return this.#find("player-timeline");
  }

  showTime(ms) {
    this.#find("[data-part=now]").textContent = timecode(ms);
    this.timeline.now = ms;
  }

  /** Shows the loop's ends, in seconds or null. */
  showLoop({ from, to, active }) {
    this.timeline.loop = active ? [from * 1000, to * 1000] : null;
    this.showPressed("loop-a", from !== null);
    this.showPressed("loop-b", to !== null);
    const clear = this.#find("[data-command=loop-clear]");
    const isClear = from === null && to === null;
    if (isClear && document.activeElement === clear) this.#find("[data-command=loop-a]").focus(); // what is hidden loses it
    clear.hidden = isClear;
  }

  showSpeed(speed) {
    this.#find("select").value = String(speed);
    this.#find(".deck__speed").toggleAttribute("data-slow", speed !== 1);
  }

  /** Shows a button as pressed; `attribute` says so on the player too, for its style. */
  showPressed(command, pressed, attribute) {
    this.#find(`[data-command=${command}]`).setAttribute("aria-pressed", String(pressed));
    if (attribute) this.#player.toggleAttribute(attribute, pressed);
  }

  /** Shows why nothing plays; `reason` is one of those in the page. */
  showProblem(reason) {
    const problem = this.#find(".player__problem");
    for (const words of problem.querySelectorAll("[data-reason]")) words.hidden = words.dataset.reason !== reason;
    problem.hidden = false;
    this.#find(".deck").hidden = true;
  }

  #find(selector) {
    return this.#player.querySelector(selector);
  }
}
