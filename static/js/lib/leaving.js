// Leaving the page asks first, while that would lose what is under way.

/** Lets the browser ask before the page is left. */
export function warnOnLeaving() {
  addEventListener("beforeunload", warn);
}

/** Lets the page be left again. */
export function leaveFreely() {
  removeEventListener("beforeunload", warn);
}

function warn(event) {
  event.preventDefault();
}
