// Words in progress outlive the page: a draft for each form of a thread, in this tab, until it has arrived or is emptied.
//
// Note [Whose draft]
// A tab may be handed on, so the key names the reader: nobody finds another's words.
//
// Note [Sent is not arrived]
// What is sent may meet a session that ended, or no line at all. So it stays a draft, and is forgotten only when a thread
// opens at another comment than before, as it does after each one that arrived.

import { read, store } from "./tab-memory.js";

const SENT = "practika.sent";

/** Keeps the drafts of `thread` from now on; returns which comment a reply was about that was sent and did not arrive. */
export function keepDrafts(thread) {
  const parent = settleSent();
  for (const kind of ["input", "change"]) thread.addEventListener(kind, ({ target }) => keep(target.form));
  thread.addEventListener("submit", ({ target }) => note(target));
  addEventListener("pageshow", ({ persisted }) => persisted && settleSent()); // it is back, so they did not arrive
  return parent;
}

/** Puts the draft of `form` back with its moment, unless the page came with words in it. */
export function restoreDraft(form) {
  const { text, at_ms: at } = form.elements;
  if (text.value) return keep(form);
  const draft = read(nameOf(form));
  if (draft) [text.value, at.value] = draft;
}

function keep(form) {
  if (!form?.elements.parent) return; // not one that writes a comment
  const { text, at_ms: at } = form.elements;
  store(nameOf(form), text.value.trim() ? [text.value, at.value] : null);
}

function note(form) {
  if (!form.elements.parent) return;
  keep(form);
  store(SENT, { name: nameOf(form), parent: form.elements.parent.value, hash: location.hash });
}

function settleSent() {
  const sent = read(SENT);
  store(SENT, null);
  if (!sent?.name.startsWith(ofReader())) return "";
  if (location.hash.startsWith("#comment-") && location.hash !== sent.hash) store(sent.name, null);
  return read(sent.name) ? sent.parent : "";
}

function nameOf(form) {
  return `${ofReader()}${new URL(form.action).pathname} ${form.elements.parent.value}`;
}

function ofReader() {
  return `practika.draft ${document.body.dataset.reader} `;
}
