// <upload-field data-uploads data-classroom>: chooses, drops or records a video and sends it, in parts, while the rest
// of the form is filled in. What it ends with is the video's id in the form's hidden field `uploaded`.
// Events: upload-ready (the id is there), upload-again (post the form again), upload-empty (nothing is chosen any more).
import { unfinishedRecording } from "../lib/recording-recovery.js";
import { RecordingSource } from "../lib/recording-source.js";
import { canRecord } from "../lib/recording-take.js";
import { clock } from "../lib/timecode.js";
import { TransferRow } from "../lib/transfer-row.js";
import { UploadCalls } from "../lib/uploads.js";
import { FileSource } from "../lib/uploads-file.js";

const GOES_ON = "waiting for the connection. It goes on by itself.";
const SERVER_BUSY = "the server is busy. It goes on by itself.";

export class UploadField extends HTMLElement {
  connectedCallback() {
    this.#input.addEventListener("change", () => this.#file && this.#sendFile(this.#file));
    this.addEventListener("click", (event) => this.#onClick(event));
    for (const name of ["dragover", "dragleave", "drop"]) this.addEventListener(name, (event) => this.#onDrag(event));
    this.#form.elements.classroom?.addEventListener?.("change", () => this.#onClassroom());
    this.#offerRecording();
    if (this.#file) this.#sendFile(this.#file); // a browser that keeps the choice over a reload
  }

  disconnectedCallback() {
    this.#source?.stop();
    removeEventListener("beforeunload", warn);
  }

  /** Nothing is chosen: the form goes its plain way. */
  get isEmpty() {
    return !this.#source;
  }

  /** The video is there, and the form may be posted. */
  get isReady() {
    return !this.#uploaded.disabled;
  }

  /** Shows that the form will be posted as soon as the video is there. */
  showWanted() {
    this.#row.showWanted();
  }

  showPosting() {
    this.#row.showPosting();
  }

  /** Shows why the form was not taken. */
  showFormProblem(problem) {
    this.#isPostRefused = true;
    const isRefused = problem.fields.includes("uploaded") || problem.fields.includes("video");
    if (isRefused) this.#source.forget();
    this.#row.showProblem(problem.message, { isRefused });
  }

  /** Forgets what was kept for the case that something fails: all has arrived. */
  finish() {
    this.#source.forget();
    removeEventListener("beforeunload", warn);
  }

  #source = null;
  #recovered = null;
  #row = null;
  #isPostRefused = false;
  #isPaused = false;

  get #form() {
    return this.closest("form");
  }

  get #input() {
    return this.querySelector("input[type=file]");
  }

  get #file() {
    return this.#input.files[0];
  }

  get #uploaded() {
    return this.querySelector("input[name=uploaded]");
  }

  get #classroom() {
    return this.dataset.classroom || this.#form.elements.classroom?.value;
  }

  get #calls() {
    return new UploadCalls(this.dataset.uploads, this.#form.elements.csrfmiddlewaretoken.value);
  }

  get #place() {
    return new URL(this.#form.action).pathname;
  }

  #part(name) {
    return this.querySelector(`[data-part=${name}]`);
  }

  #onClick(event) {
    if (event.target.closest("video-recorder")) return; // its buttons are its own
    const command = event.target.closest("[data-command]")?.dataset.command;
    const commands = {
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      cancel: () => this.#empty(),
      again: () => this.#again(),
      other: () => this.#chooseAnother(),
      record: () => this.#record(),
      "finish-recording": () => this.#finishRecording(),
      "discard-recording": () => this.#discardRecording(),
    };
    commands[command]?.();
  }

  #onDrag(event) {
    this.querySelector(".drop")?.toggleAttribute("data-over", event.type === "dragover");
    if (event.type === "dragleave" || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault(); // else the browser would open the file and leave the page
    const [file] = event.dataTransfer.files;
    if (event.type === "drop" && file && this.isEmpty) this.#sendFile(file);
  }

  #sendFile(file) {
    this.#follow(new FileSource(this.#calls, file, this.#classroom, (step) => this.#onStep(step)));
  }

  // Follows a source to its video; `sending` is the promise of it when it sends already.
  async #follow(source, sending = null) {
    this.#source = source;
    this.#showRow(source.file);
    addEventListener("beforeunload", warn);
    try {
      this.#take(await (sending ?? source.send()), source);
    } catch (problem) {
      if (this.#source !== source || problem.name === "AbortError") return;
      this.#row.showProblem(problem.message);
    }
    removeEventListener("beforeunload", warn);
  }

  #take(video, source) {
    if (this.#source !== source) return;
    if (video.state === "failed") {
      source.forget();
      this.#row.showProblem(video.failure || "This is not a video that can be played.", { isRefused: true });
      return;
    }
    this.#uploaded.value = video.id;
    this.#uploaded.disabled = false;
    this.#row.showReady("Sent. Your video is ready.");
    this.dispatchEvent(new CustomEvent("upload-ready", { bubbles: true }));
  }

  #onStep({ acknowledged, sent, problem }) {
    if (!this.#row || this.#isPaused) return;
    const total = this.#source.sizeBytes;
    if (!problem && total && acknowledged >= total) return this.#row.showChecking();
    const hold = problem && (problem.status ? SERVER_BUSY : GOES_ON);
    this.#row.showProgress({ acknowledged, sent, total }, hold);
  }

  #showRow(file) {
    this.#row?.remove();
    const name = this.#source instanceof FileSource ? file.name : "Your recording";
    this.#row = new TransferRow(this.#part("transfer"), this, { name, blob: file });
    this.#isPaused = this.#isPostRefused = false;
    this.#part("ways").hidden = true;
    this.#part("offer").hidden = true;
    this.#input.disabled = true; // the file travels in parts, not with the form
    this.dataset.state = "busy";
  }

  #pause() {
    this.#isPaused = true;
    this.#source.pause();
    this.#row.showPaused();
  }

  #resume() {
    this.#isPaused = false;
    this.#row.showSending();
    this.#source.resume();
  }

  #again() {
    if (this.isReady && this.#isPostRefused) this.dispatchEvent(new CustomEvent("upload-again", { bubbles: true }));
    else this.#follow(this.#source);
  }

  #onClassroom() {
    if (this.isEmpty || !this.#source.file) return;
    const { file } = this.#source;
    this.#source.cancel();
    this.#uploaded.disabled = true;
    this.#sendFile(file);
  }

  #chooseAnother() {
    this.#empty();
    this.#input.click();
  }

  #empty() {
    this.#source?.cancel();
    this.#source = null;
    this.#row?.remove();
    this.#row = null;
    this.#uploaded.disabled = true;
    this.#input.disabled = false;
    this.#input.value = "";
    this.#part("ways").hidden = false;
    delete this.dataset.state;
    removeEventListener("beforeunload", warn);
    this.#input.focus();
    this.dispatchEvent(new CustomEvent("upload-empty", { bubbles: true }));
  }

  #record() {
    const recorder = document.importNode(this.#part("recorder").content, true).firstElementChild;
    recorder.newSource = (mimeType, onStep) => this.#newRecording(mimeType, onStep);
    recorder.addEventListener("recorder-use", ({ detail }) => this.#follow(detail.source, detail.sending));
    this.append(recorder);
  }

  #newRecording(mimeType, onStep) {
    const options = { classroom: this.#classroom, place: this.#place, mimeType };
    return new RecordingSource(this.#calls, options, (step) => {
      onStep(step);
      this.#onStep(step);
    });
  }

  async #offerRecording() {
    const button = this.#part("record");
    if (!button || !canRecord()) return;
    button.hidden = false;
    this.#recovered = await unfinishedRecording(this.#calls, this.#place, (step) => this.#onStep(step));
    if (!this.#recovered) return;
    const { startedAt, elapsedMs } = this.#recovered.record;
    const when = new Date(startedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.#part("offer-words").textContent = `You recorded ${clock(Math.round(elapsedMs / 1000))} here, ${when}, and did not finish.`;
    this.#part("offer").hidden = false;
  }

  #finishRecording() {
    this.#follow(this.#recovered);
  }

  #discardRecording() {
    this.#recovered.cancel();
    this.#part("offer").hidden = true;
    this.#input.focus();
  }
}

// Leaving would stop what is under way.
function warn(event) {
  event.preventDefault();
}
