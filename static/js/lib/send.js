// Posting a form whose video has been sent already.
import { freshToken } from "./csrf.js";
import { parsed, Problem } from "./problem.js";

/** Posts `form` and resolves to the place to go to; throws a Problem with a sentence for people. */
export async function postForm(form, mayRenew = true) {
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
  // Logging in elsewhere changes the token: read the new one, once.
  if (response.status === 403 && mayRenew && (await freshToken())) return postForm(form, false);
  throw new Problem(response.status, answer, response.headers.get("Retry-After"));
}
