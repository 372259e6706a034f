// The calls of the upload protocol. Each resolves to the server's JSON or throws a Problem.
import { parsed, Problem } from "./problem.js";
import { freshToken } from "./csrf.js";

const PATIENCE_MS = 30_000;

export class UploadCalls {
  #url;
  #token;

  /** `url` is where uploads are opened; `token` is the page's CSRF token. */
  constructor(url, token) {
    this.#url = url;
    this.#token = token;
  }

  /** Opens an upload, or finds the one that was opened with the same `client_token`. */
  open(wish, signal) {
    return this.#call("POST", this.#url, wish, signal);
  }

  /** The state of an upload with the parts that the storage holds. */
  look(upload, signal) {
    return this.#call("GET", upload.url, undefined, signal);
  }

  /** Where and how to send these parts `{number, size_bytes, sha256?}`: `{method, url, headers}` of each, in their order. */
  async sign(upload, parts, signal) {
    return (await this.#call("POST", upload.parts_url, { parts }, signal)).parts;
  }

  /** Makes a video of the parts. */
  complete(upload, sizeBytes, signal) {
    return this.#call("POST", upload.completion_url, { size_bytes: sizeBytes }, signal);
  }

  /** Throws the upload away. It goes through when the page is being left, too. */
  discard(upload) {
    return this.#call("DELETE", upload.url);
  }

  async #call(method, url, body, signal, mayRenew = true) {
    const [response, text] = await this.#fetch(method, url, body, signal);
    if (response.ok) return parsed(text);
    if (response.status === 403 && method !== "GET" && mayRenew) {
      // Logging in elsewhere changes the token: read the new one, once.
      this.#token = (await freshToken()) || this.#token;
      return this.#call(method, url, body, signal, false);
    }
    throw new Problem(response.status, parsed(text), response.headers.get("Retry-After"));
  }

  async #fetch(method, url, body, signal) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const headers = { Accept: "application/json", "X-CSRFToken": this.#token };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const options = { method, headers, body: body && JSON.stringify(body), keepalive: method === "DELETE" };
    try {
      const response = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, patience]) : patience });
      return [response, await response.text()];
    } catch {
      signal?.throwIfAborted();
      throw new Problem(0);
    }
  }
}
