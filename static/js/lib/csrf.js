// The token that every form of a page carries.

const FIELD = "csrfmiddlewaretoken";

/**
 * Resolves to the token of this page as the server would write it now, and puts it into the page's forms; to "" when there
 * is none, or when it would be another person's, who has logged in since.
 */
export async function freshToken() {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector(`[name=${FIELD}]`)?.value;
    if (!token || page.body.dataset.reader !== document.body.dataset.reader) return "";
    const templates = [...document.querySelectorAll("template")].map(({ content }) => content);
    for (const part of [document, ...templates]) {
      for (const field of part.querySelectorAll(`[name=${FIELD}]`)) field.value = token;
    }
    return token;
  } catch {
    return "";
  }
}
