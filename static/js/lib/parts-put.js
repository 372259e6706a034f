// Sending one part to its signed address: XMLHttpRequest, because fetch does not tell how much has been sent.
import { parsed, Problem } from "./problem.js";

const STALLED_MS = 15_000; // nothing moved for so long: the line is dead, though nobody said so
const ANSWER_MS = 60_000; // all is sent; the storage makes it durable

/** Sends `body` as the server said; resolves once the storage has acknowledged it, else throws a Problem. */
export function putPart({ method, url, headers }, body, { signal, onSent }) {
  const request = new XMLHttpRequest();
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  const watch = new Watch(() => request.abort());
  const stop = () => request.abort();
  signal.addEventListener("abort", stop);
  request.upload.addEventListener("progress", (event) => {
    watch.expect(STALLED_MS);
    onSent(event.loaded);
  });
  request.upload.addEventListener("load", () => watch.expect(ANSWER_MS));
  return new Promise((resolve, reject) => {
    request.addEventListener("loadend", () => {
      watch.end();
      signal.removeEventListener("abort", stop);
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new Problem(request.status, parsed(request.responseText), request.getResponseHeader("Retry-After")));
    });
    watch.expect(STALLED_MS);
    request.send(body);
  });
}

class Watch {
  #timer;
  #end;

  constructor(onLate) {
    this.#end = onLate;
  }

  expect(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#end, ms);
  }

  end() {
    clearTimeout(this.#timer);
  }
}
