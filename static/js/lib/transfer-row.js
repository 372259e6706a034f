// The row that shows a video on its way, made from a <template> of the page so that its words and icons are the site's.
import { frameOfFile } from "./frame-of-file.js";
import { figures, fileSize, Speedometer } from "./transfer-figures.js";

// Which buttons make sense when.
const BUTTONS = {
  sending: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  checking: ["cancel"],
  posting: [],
  ready: ["other"],
  failed: ["again", "other"],
  refused: ["other"],
};
const QUARTER = 0.25;

export class TransferRow {
  #root;
  #speed = new Speedometer();
  #frame = "";
  #onlyCopy;
  #spokenShare = 0;

  /** Shows the row at the end of `host`; `blob` is the video, if it is here, `onlyCopy` is it if it is nowhere else. */
  constructor(template, host, { name, blob, onlyCopy }) {
    this.#onlyCopy = onlyCopy;
    this.#root = template.content.cloneNode(true).firstElementChild;
    this.#part("name").textContent = name;
    host.append(this.#root);
    this.#root.scrollIntoView({ block: "nearest" });
    this.#root.focus({ preventScroll: true });
    this.#say("Sending your video");
    this.#show("sending");
    if (blob) this.#showFrame(blob);
  }

  /** Shows bytes acknowledged by the storage, and paler those on the line; `hold` says what it waits for, or "". */
  showProgress({ acknowledged, sent, total }, hold = "") {
    if (this.#root.dataset.state !== "sending") this.#show("sending");
    this.#part("acknowledged").value = total ? acknowledged / total : 0;
    this.#part("sent").value = total ? sent / total : 0;
    const speed = this.#speed.note(sent, performance.now());
    this.#figures(hold ? `${fileSize(acknowledged)} of ${fileSize(total)} · ${hold}` : figures(acknowledged, total, speed, sent));
    const share = total ? acknowledged / total : 0;
    if (share - this.#spokenShare < QUARTER || share === 1) return;
    this.#spokenShare = share;
    this.#say(`${Math.round(share * 100)} % sent`);
  }

  /** Shows that it goes on, after a pause or a problem. */
  showSending() {
    this.#speed = new Speedometer();
    this.#show("sending");
    this.#figures("Sending…");
    this.#say("Sending goes on");
  }

  showPaused() {
    this.#show("paused");
    this.#figures(this.#part("figures").textContent.replace(/ · .*/, " · paused"));
    this.#say("Paused");
  }

  showChecking() {
    this.#wait("checking", "Sent. Checking your video…");
  }

  /** Shows that the form follows by itself. */
  showWanted() {
    this.#part("next").hidden = false;
    this.#say(this.#part("next").textContent);
  }

  showPosting() {
    this.#wait("posting", "Saving…");
  }

  /** Shows that the video is there, and `next`, what is left to do. */
  showReady(next) {
    this.#show("ready");
    this.#part("acknowledged").value = this.#part("sent").value = 1;
    this.#figures(next);
    this.#say(next);
  }

  /** Shows a sentence about what went wrong; `isRefused` says that trying the same again is no use. */
  showProblem(sentence, { isRefused = false, needsLogIn = false } = {}) {
    this.#show(isRefused ? "refused" : "failed");
    this.#part("entrance").hidden = !needsLogIn;
    this.#part("sentence").textContent = sentence;
    this.#figures("What you typed is kept.");
    this.#offerCopy();
    this.#button(BUTTONS[this.#root.dataset.state][0]).focus();
  }

  remove() {
    this.#root.remove();
    for (const url of [this.#frame, this.#part("copy").href]) URL.revokeObjectURL(url);
  }

  #show(state) {
    const focused = this.#root.contains(document.activeElement);
    this.#root.dataset.state = state;
    const isOver = ["failed", "refused"].includes(state);
    this.#part("problem").hidden = !isOver;
    this.#part("entrance").hidden = true;
    this.#part("copy").hidden = !isOver || !this.#part("copy").href;
    for (const button of this.#root.querySelectorAll("[data-command]")) {
      button.hidden = !BUTTONS[state].includes(button.dataset.command);
    }
    if (focused && document.activeElement.hidden) this.#button(BUTTONS[state][0])?.focus();
  }

  #offerCopy() {
    const link = this.#part("copy");
    if (!this.#onlyCopy || link.href) return;
    Object.assign(link, { href: URL.createObjectURL(this.#onlyCopy), download: this.#onlyCopy.name, hidden: false });
  }

  #wait(state, words) {
    if (this.#root.dataset.state === state) return;
    this.#show(state);
    for (const name of ["acknowledged", "sent"]) this.#part(name).removeAttribute("value");
    this.#figures(words);
    this.#say(words);
  }

  async #showFrame(blob) {
    this.#frame = await frameOfFile(blob);
    if (this.#frame) this.#part("frame").replaceChildren(Object.assign(new Image(), { src: this.#frame, alt: "" }));
  }

  #figures(words) {
    this.#part("figures").textContent = words;
  }

  #say(words) {
    this.#part("spoken").textContent = words;
  }

  #button(command) {
    return this.#root.querySelector(`[data-command=${command}]`);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part=${name}]`);
  }
}
