// <upload-form>: sends the form inside it with its video in view: how much, how fast, how long still, and Cancel.
// With the attribute `now` a chosen file is sent at once. Without a file the form is sent plainly.
import { send } from "../lib/send.js";
import { TransferRow } from "../lib/transfer-row.js";

export class UploadForm extends HTMLElement {
  connectedCallback() {
    this.#form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.#input?.addEventListener("change", () => this.#onChoice());
    this.addEventListener("click", (event) => this.#onClick(event));
    for (const name of ["dragover", "dragleave", "drop"]) this.addEventListener(name, () => this.#showOver(name));
  }

  disconnectedCallback() {
    this.#abort?.abort();
  }

  #abort = null;
  #row = null;

  get #form() {
    return this.querySelector("form");
  }

  get #input() {
    return this.querySelector("input[type=file]");
  }

  get #file() {
    return this.#input?.files[0];
  }

  get #sendsAtOnce() {
    return this.hasAttribute("now");
  }

  #onChoice() {
    const chosen = this.querySelector("[data-part=chosen]");
    chosen.dataset.before ??= chosen.textContent;
    chosen.textContent = this.#file && !this.#sendsAtOnce ? this.#file.name : chosen.dataset.before;
    if (this.#file && this.#sendsAtOnce) this.#form.requestSubmit();
  }

  #onSubmit(event) {
    if (!this.#file) return;
    event.preventDefault();
    if (!this.#abort) this.#send();
  }

  #onClick(event) {
    const command = event.target.closest("[data-command]")?.dataset.command;
    if (command === "cancel") this.#abort?.abort();
    if (command === "again") this.#form.requestSubmit();
    if (command === "other") this.#chooseAnother();
  }

  async #send() {
    this.#abort = new AbortController();
    const body = new FormData(this.#form);
    this.#showRow();
    addEventListener("beforeunload", warn);
    const answer = await send({
      url: this.#form.action,
      token: body.get("csrfmiddlewaretoken"),
      body,
      onProgress: (sent, total) => this.#row.showProgress(sent, total),
      onSent: () => this.#row.showChecking(),
      signal: this.#abort.signal,
    });
    removeEventListener("beforeunload", warn);
    this.#abort = null;
    this.#finish(answer);
  }

  #showRow() {
    this.#row?.remove();
    this.#row = new TransferRow(this.querySelector("template[data-part=transfer]"), this, this.#file);
    this.#form.hidden = this.#sendsAtOnce;
  }

  #finish(answer) {
    if (answer === null) this.#close();
    else if (answer.location) location.assign(answer.location);
    else this.#row.showProblem(answer.problem);
  }

  #chooseAnother() {
    this.#close();
    this.#input.value = "";
    this.#onChoice();
    this.#input.click();
  }

  #close() {
    this.#row?.remove();
    this.#row = null;
    this.#form.hidden = false;
    this.#input.focus();
  }

  #showOver(name) {
    this.querySelector(".drop")?.toggleAttribute("data-over", name === "dragover");
  }
}

// Leaving would lose what was sent so far.
function warn(event) {
  event.preventDefault();
}
