// <verdict-form>: an answer (redo or passed) takes a comment that is written but not sent along, instead of losing it.
export class VerdictForm extends HTMLElement {
  connectedCallback() {
    this.querySelector("form").addEventListener("submit", (event) => this.#onSubmit(event));
  }

  #isSending = false;

  get #composer() {
    return document.querySelector("[data-part=composer]");
  }

  async #onSubmit(event) {
    const text = this.#composer?.querySelector("textarea");
    if (!text?.value.trim()) return;
    event.preventDefault();
    if (this.#isSending) return; // the second click of a double click
    this.#isSending = true;
    const { form, verdict } = { form: event.target, verdict: event.submitter };
    try {
      const answer = await fetch(this.#composer.action, {
        method: "POST",
        body: new FormData(this.#composer),
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      text.value = "";
      text.dispatchEvent(new Event("input", { bubbles: true })); // its draft goes with it
      form.requestSubmit(verdict);
    } catch {
      const sentence = this.querySelector("[role=alert]");
      sentence.hidden = false;
      text.focus();
    } finally {
      this.#isSending = false;
    }
  }
}
