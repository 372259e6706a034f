// A form that is on its way is not sent again: the second click of a double click would do everything twice.
const FORGOTTEN_MS = 10_000; // somebody stopped the page from loading, and wants to try again
const onTheWay = new WeakSet();

/** Lets each posted form of `page` be sent once until the next page is there; its buttons look it meanwhile. */
export function sendFormsOnce(page) {
  page.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return; // what a script sends, it sends once by itself
    if (onTheWay.has(form)) return event.preventDefault();
    onTheWay.add(form);
    setTimeout(() => show(form, true)); // after the browser has read the form, for a disabled button is no part of it
    setTimeout(() => forget(form), FORGOTTEN_MS);
  });
  // A page that comes back from the browser's memory is as it was left.
  addEventListener("pageshow", (event) => event.persisted && [...page.forms].forEach(forget));
}

function forget(form) {
  if (onTheWay.delete(form)) show(form, false);
}

function show(form, disabled) {
  for (const button of form.elements) if (button.type === "submit") button.disabled = disabled;
}
