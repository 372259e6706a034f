// Opens the form of a reply below its comment; without scripts its link leads to a page with the same form.
export function openReplies(thread) {
  const template = thread.querySelector("template[data-part=reply]");
  for (const link of thread.querySelectorAll("a[data-reply]")) link.setAttribute("aria-expanded", "false");
  thread.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-reply]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const form = link.parentElement.querySelector("form") ?? added(template, link);
    form.hidden = link.getAttribute("aria-expanded") === "true";
    link.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) form.querySelector("textarea").focus();
  });
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
  return form;
}
