// Words in progress outlive the page: a draft for each form of a thread, in this tab, until it is sent or emptied.
//
// Note [Whose draft]
// A tab may be handed on, so the key names the reader: nobody finds another's words.

/** Keeps the drafts of `thread` from now on. */
export function keepDrafts(thread) {
  for (const kind of ["input", "change"]) thread.addEventListener(kind, ({ target }) => keep(target.form));
  thread.addEventListener("submit", ({ target }) => write(target, null));
}

/** Puts the draft of `form` back with its moment, unless the page came with words in it. */
export function restoreDraft(form) {
  const { text, at_ms: at } = form.elements;
  if (text.value) return keep(form);
  const draft = read(form);
  if (draft) [text.value, at.value] = draft;
}

function keep(form) {
  if (!form?.elements.parent) return; // not one that writes a comment
  const { text, at_ms: at } = form.elements;
  write(form, text.value.trim() ? [text.value, at.value] : null);
}

function nameOf(form) {
  const reader = form.closest("comment-thread").dataset.reader;
  return ["practika.draft", reader, form.getAttribute("action"), form.elements.parent.value].join(" ");
}

function read(form) {
  try {
    return JSON.parse(sessionStorage.getItem(nameOf(form)));
  } catch {
    return null; // storage is off, or somebody else wrote there
  }
}

function write(form, draft) {
  try {
    if (draft) sessionStorage.setItem(nameOf(form), JSON.stringify(draft));
    else sessionStorage.removeItem(nameOf(form));
  } catch {
    // Storage is off or full: the words live as long as the page.
  }
}
