// <video-preparation>: says how far the version for every device is, and asks again until that ends.
// The server writes what it says; each answer takes the place of the element that asked.
const ASK_AGAIN_MS = { verify: 500, web: 2000 }; // a check takes a moment, a version for every device may take minutes
const UNFINISHED = new Set(["queued", "running"]);
const MOST_MS = 30_000;

export class VideoPreparation extends HTMLElement {
  connectedCallback() {
    const wait = ASK_AGAIN_MS[this.dataset.kind] ?? ASK_AGAIN_MS.web;
    if (UNFINISHED.has(this.dataset.state)) this.#timer = setTimeout(() => this.#ask(wait), wait);
    this.querySelector("[data-part=reload]")?.addEventListener("click", (event) => {
      event.preventDefault();
      location.reload();
    });
    const next = this.querySelector("input[name=next]");
    if (next && !next.value) next.value = location.pathname + location.search;
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #timer;

  async #ask(waited) {
    try {
      if (!document.hidden) return this.#take(await this.#answer());
    } catch {
      waited = Math.min(waited * 2, MOST_MS); // offline, or the server restarts
    }
    this.#timer = setTimeout(() => this.#ask(waited), waited);
  }

  async #answer() {
    const response = await fetch(this.dataset.url);
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return document.adoptNode(page.querySelector("video-preparation"));
  }

  #take(answer) {
    const playsNow = answer.dataset.state === "done" || answer.dataset.withheld === "no";
    const mustReload = playsNow && this.#cannotPlay(answer.dataset.state === "done") && !somethingTyped();
    this.replaceWith(answer);
    if (mustReload) location.reload();
  }

  /** Whether there is nothing to lose by showing the page anew: no picture plays here yet. */
  #cannotPlay(isNew) {
    const problem = this.closest("practice-player")?.querySelector(".player__problem");
    return this.dataset.withheld === "yes" || (isNew && problem && !problem.hidden);
  }
}

function somethingTyped() {
  return [...document.querySelectorAll("textarea, input[type=text], input[type=file]")].some((field) => field.value !== field.defaultValue);
}
