// The ways to bring one video: choose a file, drop it, record it, or finish a recording that was left behind.
import { takeDrops } from "./drop.js";
import { RecordingOffer } from "./recording-offer.js";
import { RecordingSource } from "./recording-source.js";
import { canRecord } from "./recording-take.js";
import { FileSource } from "./uploads-file.js";

const RECORDING = "Your recording";

export class UploadWays {
  #root;
  #options;
  #onSource;
  #offer;

  /**
   * Works in the element `root`. `options()` says what a source needs now: `{calls, classroom, place}`;
   * `onSource(source, name, sending)` is given what was brought, and the promise of its video if it sends already.
   */
  constructor(root, options, onSource) {
    this.#root = root;
    this.#options = options;
    this.#onSource = onSource;
    this.#offer = new RecordingOffer(this.#part("offer"), this.#part("offer-words"));
    this.input.addEventListener("change", () => this.#bringChosen());
    takeDrops(root, root.querySelector(".drop"), (file) => !this.input.disabled && this.bring(file));
  }

  /** Begins with what there is already: a file that the browser kept over a reload, a recording that a crash left. */
  begin() {
    this.#bringChosen();
    if (!this.#part("record") || !canRecord()) return;
    this.#part("record").hidden = false;
    const { calls, place } = this.#options();
    this.#offer.look(calls, place);
  }

  get input() {
    return this.#root.querySelector("input[type=file]");
  }

  /** Brings a file. */
  bring(file) {
    const { calls, classroom } = this.#options();
    this.#onSource(new FileSource(calls, file, classroom), file.name);
  }

  /** Hides them: one video is brought, and travels in parts, not with the form. */
  close() {
    this.#part("ways").hidden = this.input.disabled = true;
    this.#offer.show(false);
  }

  /** Shows them again, with nothing chosen. */
  open() {
    this.#part("ways").hidden = this.input.disabled = false;
    this.input.value = "";
    this.#offer.show(true);
    this.input.focus();
  }

  /** Opens the camera in the page. */
  record() {
    const recorder = document.importNode(this.#part("recorder").content, true).firstElementChild;
    const { calls, classroom, place } = this.#options();
    recorder.newSource = (mimeType) => new RecordingSource(calls, { classroom, place, mimeType });
    recorder.addEventListener("recorder-use", ({ detail }) => this.#onSource(detail.source, RECORDING, detail.sending));
    this.#root.append(recorder);
  }

  /** Brings the recording that was left behind. */
  finishRecording() {
    this.#onSource(this.#offer.take(), RECORDING);
  }

  /** Throws the recording that was left behind away. */
  discardRecording() {
    this.#offer.take().discard();
    this.input.focus();
  }

  #bringChosen() {
    if (this.input.files[0]) this.bring(this.input.files[0]);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part=${name}]`);
  }
}
