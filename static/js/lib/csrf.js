// The token that every form of a page carries.

const FIELD = "csrfmiddlewaretoken";

/** Resolves to the token of this page as the server would write it now, and puts it into the page's forms; else "". */
export async function freshToken() {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector(`[name=${FIELD}]`)?.value ?? "";
    for (const field of token ? document.querySelectorAll(`[name=${FIELD}]`) : []) field.value = token;
    return token;
  } catch {
    return "";
  }
}
