// Sending a form with a file: XMLHttpRequest, because fetch does not tell how much has been sent.

const OFFLINE = "The connection was lost. Nothing of yours is gone: try again.";
const UNKNOWN = "The server did not take it. Try again in a moment.";

/** Posts `body` and resolves to `{location}` or `{problem: sentence}`; `null` when it was cancelled. */
export function send({ url, token, body, onProgress, onSent, signal }) {
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.setRequestHeader("X-CSRFToken", token);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
  request.upload.addEventListener("load", onSent);
  signal.addEventListener("abort", () => request.abort());
  return new Promise((resolve) => {
    request.addEventListener("load", () => resolve(read(request.status, request.responseText)));
    request.addEventListener("error", () => resolve({ problem: OFFLINE }));
    request.addEventListener("timeout", () => resolve({ problem: OFFLINE }));
    request.addEventListener("abort", () => resolve(null));
    request.send(body);
  });
}

/** What an answer means: the place to go to, or a sentence for people. */
export function read(status, text) {
  const answer = parsed(text);
  if (status === 201 && answer?.location) return { location: answer.location };
  const fields = Object.values(answer?.errors ?? {}).flat();
  return { problem: answer?.detail || fields[0] || answer?.title || UNKNOWN };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
