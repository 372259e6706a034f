// <upload-form>: posts the form inside it once the video of its <upload-field> has arrived, by the video's name alone.
// With the attribute `now` it does so at once; else when the person has pressed the form's button, before or after.
// Without a video the form is sent plainly.
import { postForm } from "../lib/send.js";

export class UploadForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => this.#onSubmit(event));
    this.addEventListener("upload-ready", () => this.#onReady());
    this.addEventListener("upload-empty", () => (this.#isWanted = false));
    this.addEventListener("upload-again", () => this.#onReady(true));
  }

  #isWanted = false;
  #isPosting = false;

  get #field() {
    return this.querySelector("upload-field");
  }

  #onSubmit(event) {
    if (!this.#field || this.#field.isEmpty) return;
    event.preventDefault();
    this.#isWanted = true;
    if (this.#field.isReady) this.#post(event.target);
    else this.#field.showWanted();
  }

  #onReady(again = false) {
    if (again || this.#isWanted || this.hasAttribute("now")) this.#post(this.#field.closest("form"));
  }

  async #post(form) {
    if (this.#isPosting) return;
    this.#isPosting = true;
    this.#field.showPosting();
    try {
      const place = await postForm(form);
      this.#field.finish();
      this.#go(place);
    } catch (problem) {
      this.#isPosting = this.#isWanted = false;
      this.#field.showFormProblem(problem);
    }
  }

  // A place on this very page would only be scrolled to, and the browser's memory, on the way back, shows this page as it
  // was: both without what has just been added.
  #go(place) {
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    const here = location.href.split("#")[0];
    location.assign(place);
    if (new URL(place, here).href.split("#")[0] === here) location.reload();
  }
}
