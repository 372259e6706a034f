// Opens the form of a reply below its comment; without scripts its link leads to a page with the same form.
import { restoreDraft } from "./drafts.js";

/** Opens replies in `thread` when they are asked for, and the one to the comment `parent` at once, if there is one. */
export function openReplies(thread, parent) {
  const template = thread.querySelector("template[data-part=reply]");
  for (const link of thread.querySelectorAll("a[data-reply]")) link.setAttribute("aria-expanded", "false");
  thread.addEventListener("click", (event) => {
    if (event.target.closest("[data-command=cancel-reply]")) return close(event.target.closest("form"));
    const link = event.target.closest("a[data-reply]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(template, link);
  });
  thread.addEventListener("keydown", (event) => {
    const form = event.target.closest("form.reply");
    if (form && event.key === "Escape" && !event.isComposing) close(form);
  });
  const waiting = parent && thread.querySelector(`#comment-${parent} a[data-reply]`);
  if (waiting) toggle(template, waiting);
}

function toggle(template, link) {
  const form = link.parentElement.querySelector("form") ?? added(template, link);
  show(form, form.hidden);
  if (!form.hidden) form.querySelector("textarea").focus();
}

function show(form, shown) {
  form.hidden = !shown;
  linkOf(form).setAttribute("aria-expanded", String(shown));
}

// The words in it stay, for when it is opened again.
function close(form) {
  show(form, false);
  linkOf(form).focus();
}

function linkOf(form) {
  return form.parentElement.querySelector("a[data-reply]");
}

function added(template, link) {
  const form = template.content.firstElementChild.cloneNode(true);
  const key = link.closest(".comment").id.slice("comment-".length);
  const name = link.closest(".comment").querySelector(".comment__author").textContent;
  form.querySelector("[name=parent]").value = key;
  form.querySelector("textarea").id = `reply-${key}`;
  form.querySelector("label").htmlFor = `reply-${key}`;
  form.querySelector("label").textContent = `Your reply to ${name}`;
  link.parentElement.append(form);
  form.hidden = true;
  restoreDraft(form);
  return form;
}
