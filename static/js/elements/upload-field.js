// <upload-field data-uploads data-classroom>: chooses, drops or records a video and sends it, in parts, while the rest
// of the form is filled in. What it ends with is the video's id in the form's hidden field `uploaded`.
// Events: upload-ready (the id is there), upload-again (post the form again), upload-empty (nothing is chosen now).
import { Transfer } from "../lib/transfer.js";
import { UploadWays } from "../lib/upload-ways.js";
import { UploadCalls } from "../lib/uploads.js";

export class UploadField extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.#onClick(event));
    this.#form.elements.classroom?.addEventListener?.("change", () => this.#onClassroom());
    this.#ways = new UploadWays(this, () => this.#options, (...brought) => this.#send(...brought));
    this.#ways.begin();
  }

  disconnectedCallback() {
    this.#transfer?.stop();
  }

  /** Nothing is chosen: the form goes its plain way. */
  get isEmpty() {
    return !this.#transfer;
  }

  /** The video is there, and the form may be posted. */
  get isReady() {
    return !this.#uploaded.disabled;
  }

  /** Shows that the form will be posted as soon as the video is there. */
  showWanted() {
    this.#transfer.row.showWanted();
  }

  showPosting() {
    this.#transfer.row.showPosting();
  }

  /** Shows why the form was not taken. */
  showFormProblem(problem) {
    const isRefused = problem.fields.includes("uploaded") || problem.fields.includes("video");
    if (isRefused) this.#transfer.source.forget();
    this.#transfer.row.showProblem(problem.message, { isRefused, needsLogIn: problem.needsLogIn });
  }

  /** Forgets what was kept for the case that something fails: all has arrived. */
  finish() {
    this.#transfer.finish();
  }

  #ways;
  #transfer = null;

  #commands = {
    pause: () => this.#transfer.pause(),
    resume: () => this.#transfer.resume(),
    cancel: () => this.#empty(),
    again: () => this.#again(),
    other: () => this.#chooseAnother(),
    record: () => this.#ways.record(),
    "finish-recording": () => this.#ways.finishRecording(),
    "discard-recording": () => this.#ways.discardRecording(),
  };

  get #form() {
    return this.closest("form");
  }

  get #uploaded() {
    return this.querySelector("input[name=uploaded]");
  }

  get #options() {
    const { classroom, csrfmiddlewaretoken } = this.#form.elements;
    return {
      calls: new UploadCalls(this.dataset.uploads, csrfmiddlewaretoken.value),
      classroom: this.dataset.classroom || classroom?.value,
      place: new URL(this.#form.action).pathname,
    };
  }

  #onClick(event) {
    if (event.target.closest("video-recorder")) return; // its buttons are its own
    this.#commands[event.target.closest("[data-command]")?.dataset.command]?.();
  }

  #send(source, name, sending) {
    const template = this.querySelector("[data-part=transfer]");
    this.#transfer = new Transfer(source, { template, host: this, name, onVideo: (id) => this.#take(id) });
    this.#ways.close();
    this.dataset.state = "busy";
    this.#transfer.follow(sending);
  }

  #take(id) {
    this.#uploaded.value = id;
    this.#uploaded.disabled = false;
    this.#tell("upload-ready");
  }

  #again() {
    if (this.isReady) this.#tell("upload-again"); // it was the form that was refused
    else this.#transfer.again();
  }

  // A video belongs to one class: it is sent again for the new one.
  #onClassroom() {
    const file = this.#transfer?.source.file;
    if (!file) return;
    this.#transfer.cancel();
    this.#uploaded.disabled = true;
    this.#ways.bring(file);
  }

  #chooseAnother() {
    this.#empty();
    this.#ways.input.click();
  }

  #empty() {
    this.#transfer.cancel();
    this.#transfer = null;
    this.#uploaded.disabled = true;
    delete this.dataset.state;
    this.#ways.open();
    this.#tell("upload-empty");
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }
}
