// A form that was sent and did not arrive is filled in again: it met a session that ended, an old token, or no line.
//
// Note [Kept for the way back alone]
// What is sent is laid aside in this tab. A page to which the server has led means that it has arrived, as after every
// form; the form's own page means that it has not. Another reader never gets it, and no log-in page touches it.
import { read, store } from "./tab-memory.js";

const SENT = "practika.sent-form";

/** Works for the forms of `page` with the attribute `data-keeps-words`. */
export function keepSentWords(page) {
  const reader = page.body.dataset.reader;
  const kept = read(SENT);
  if (!reader) return;
  const isHere = kept?.reader === reader && kept.place === location.pathname;
  if (isHere) putBack(page, kept.words);
  if (isHere || performance.getEntriesByType("navigation")[0]?.redirectCount) store(SENT, null);
  page.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (defaultPrevented || !target.matches("[data-keeps-words]")) return;
    store(SENT, { reader, place: location.pathname, words: wordsOf(target) });
  });
}

function wordsOf(form) {
  return [...form.elements].filter(isTyped).map(({ name, value }) => [name, value]);
}

function putBack(page, words) {
  const form = page.querySelector("form[data-keeps-words]");
  if (!form || form.querySelector(".alert--error")) return; // it came back with what was typed, and what is wrong there
  for (const [name, value] of words) if (form.elements[name]) form.elements[name].value = value;
  form.querySelector("[data-part=words-kept]").hidden = false;
}

function isTyped({ name, type }) {
  return name && !["hidden", "file", "submit", "password"].includes(type);
}
