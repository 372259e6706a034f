// A form that met a session that ended is filled in again once the log-in has led back to it.
//
// Note [Kept for that way alone]
// What is sent is laid aside in this tab. Only a page without a reader, the log-in, keeps it there: any other page that
// opens means that the words have arrived, or that the person has gone elsewhere. Another reader never gets them.

import { read, store } from "./tab-memory.js";

const SENT = "practika.sent-form";

/** Works for the forms of `page` with the attribute `data-keeps-words`. */
export function keepSentWords(page) {
  const reader = page.body.dataset.reader;
  const kept = read(SENT);
  if (!reader) return store(SENT, kept && { ...kept, metLogIn: true });
  store(SENT, null);
  if (kept?.metLogIn && kept.reader === reader && kept.place === location.pathname) putBack(page, kept.words);
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
  if (!form) return;
  for (const [name, value] of words) if (form.elements[name]) form.elements[name].value = value;
  form.querySelector("[data-part=words-kept]").hidden = false;
}

function isTyped({ name, type }) {
  return name && !["hidden", "file", "submit", "password"].includes(type);
}
