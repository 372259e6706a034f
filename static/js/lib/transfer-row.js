// The row that shows a video on its way, made from a <template> of the page so that its words and icons are the site's.
import { frameOfFile } from "./frame-of-file.js";
import { figures, Speedometer } from "./transfer.js";

export class TransferRow {
  #root;
  #speed = new Speedometer();
  #frame = "";

  /** Shows the row at the end of `host`. */
  constructor(template, host, file) {
    this.#root = template.content.cloneNode(true).firstElementChild;
    this.#part("name").textContent = file.name;
    host.append(this.#root);
    this.#root.scrollIntoView({ block: "nearest" });
    this.#root.focus({ preventScroll: true });
    this.#say("Sending your video");
    this.#showFrame(file);
  }

  showProgress(sent, total) {
    this.#part("progress").value = total ? sent / total : 0;
    this.#part("figures").textContent = figures(sent, total, this.#speed.note(sent, performance.now()));
  }

  showChecking() {
    this.#part("progress").removeAttribute("value");
    this.#part("figures").textContent = "Checking your video…";
    this.#say("Sent. Checking your video");
  }

  showProblem(sentence) {
    this.#part("problem").textContent = sentence;
    this.#part("problem").classList.add("alert", "alert--error");
    this.#part("progress").hidden = true;
    this.#part("figures").textContent = "What you typed is kept.";
    for (const button of this.#root.querySelectorAll("[data-command]")) {
      button.hidden = button.dataset.command === "cancel";
    }
  }

  remove() {
    URL.revokeObjectURL(this.#frame);
    this.#root.remove();
  }

  async #showFrame(file) {
    this.#frame = await frameOfFile(file);
    if (this.#frame) this.#part("frame").replaceChildren(Object.assign(new Image(), { src: this.#frame, alt: "" }));
  }

  #say(words) {
    this.#part("spoken").textContent = words;
  }

  #part(name) {
    return this.#root.querySelector(`[data-part=${name}]`);
  }
}
