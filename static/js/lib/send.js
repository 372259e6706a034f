// Posting a form whose video has been sent already.
import { parsed, Problem } from "./problem.js";

/** Posts `form` and resolves to the place to go to; throws a Problem with a sentence for people. */
export async function postForm(form) {
  const body = new FormData(form);
  const headers = { Accept: "application/json", "X-CSRFToken": body.get("csrfmiddlewaretoken") };
  let response, text;
  try {
    response = await fetch(form.action, { method: "POST", body, headers });
    text = await response.text();
  } catch {
    throw new Problem(0);
  }
  const answer = parsed(text);
  if (response.status === 201 && answer?.location) return answer.location;
  throw new Problem(response.status, answer, response.headers.get("Retry-After"));
}
