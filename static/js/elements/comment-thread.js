// <comment-thread for="player-id">: ties comments to the moments of the player they are about.
import { keepDrafts, restoreDraft } from "../lib/drafts.js";
import { openReplies } from "../lib/replies.js";
import { timecode } from "../lib/timecode.js";

const NEAR_MS = 2500;

export class CommentThread extends HTMLElement {
  connectedCallback() {
    openReplies(this, keepDrafts(this));
    if (this.#composer) restoreDraft(this.#composer);
    this.#player = document.getElementById(this.getAttribute("for"));
    if (!this.#player) return;
    this.addEventListener("click", (event) => this.#onClick(event));
    this.#player.addEventListener("player-time", (event) => this.#follow(event.detail.ms));
    this.#player.addEventListener("timeline-pin", (event) => this.#open(event.detail));
    customElements.whenDefined("player-timeline").then(() => (this.#player.timeline.pins = this.#pins()));
    if (this.#composer) this.#offerMoment();
  }

  #player;
  #atMs = 0;
  #chosen = false;

  get #composer() {
    return this.querySelector("[data-part=composer]");
  }

  get #box() {
    return this.querySelector("[data-part=moment] input");
  }

  get #comments() {
    return [...this.querySelectorAll(".comment[data-at-ms]")];
  }

  #pins() {
    return this.#comments.map((comment) => {
      const author = comment.querySelector(".comment__author").textContent;
      const ms = Number(comment.dataset.atMs);
      const instructor = comment.classList.contains("comment--instructor");
      return { id: comment.id, ms, instructor, label: `${timecode(ms)} ${author}` };
    });
  }

  #onClick(event) {
    const chip = event.target.closest("a[data-at-ms]");
    if (!chip || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#player.showMoment(Number(chip.dataset.atMs));
  }

  #open({ id, ms }) {
    this.#player.showMoment(ms);
    document.getElementById(id)?.scrollIntoView({ block: "nearest" });
  }

  #follow(ms) {
    const passed = this.#comments.filter(({ dataset }) => Number(dataset.atMs) <= ms + 50 && ms - Number(dataset.atMs) < NEAR_MS);
    const current = passed.sort((one, other) => Number(other.dataset.atMs) - Number(one.dataset.atMs))[0] ?? null;
    for (const comment of this.#comments) comment.toggleAttribute("data-current", comment === current);
    this.#player.timeline.current = current?.id ?? null;
    this.#setMoment(ms);
  }

  #offerMoment() {
    const moment = this.querySelector("[data-part=moment]");
    moment.hidden = false;
    moment.addEventListener("change", () => this.#choose());
    this.#composer.addEventListener("input", (event) => event.target.matches("textarea") && this.#player.pause());
    this.#setMoment(this.#given ?? this.#player.currentMs ?? 0);
  }

  // A page that comes back with errors keeps the moment that was sent.
  get #given() {
    const value = this.querySelector("[data-part=at]").value;
    return value === "" ? null : Number(value);
  }

  // Until a person says otherwise, a comment is about the whole video while it is at its start, else about the moment.
  #setMoment(ms) {
    if (!this.#composer) return;
    this.#atMs = ms;
    if (!this.#chosen) this.#box.checked = ms > 0 || this.#given !== null;
    this.querySelector("[data-part=moment-code]").textContent = timecode(ms);
    this.#writeMoment();
  }

  #choose() {
    this.#chosen = true;
    this.#writeMoment();
  }

  #writeMoment() {
    this.querySelector("[data-part=at]").value = this.#box.checked ? String(this.#atMs) : "";
  }
}
