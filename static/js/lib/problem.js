// What went wrong on the way to the server, as a sentence for people and a decision: does trying again help?

const NO_LINE = "The connection was lost.";
const UNKNOWN = "The server did not take it. Try again in a moment.";
const PASSING = new Set([0, 408, 425, 500, 502, 503, 504]);
const REFUSALS = new Set([413, 415, 422]); // too much, no video, a field that is wrong
const PASSING_WHEN_TOLD = new Set([409, 429]); // with Retry-After

export class Problem extends Error {
  /** `status` 0 means that no answer came; `answer` is the body of application/problem+json, if there was one. */
  constructor(status, answer = null, retryAfterS = null) {
    const first = Object.values(answer?.errors ?? {}).flat()[0];
    super(answer?.detail || first || answer?.title || (status ? UNKNOWN : NO_LINE));
    this.status = status;
    this.fields = Object.keys(answer?.errors ?? {});
    this.missing = answer?.missing ?? [];
    this.retryAfterMs = Number(retryAfterS) * 1000 || 0;
    this.isBusy = PASSING_WHEN_TOLD.has(status) && retryAfterS !== null;
  }

  /** True when the same request may succeed later: no line, a server that restarts, a part that is being written. */
  get isPassing() {
    return PASSING.has(this.status) || this.isBusy;
  }

  /** True when the same, tried again, would be refused again. */
  get isRefusal() {
    return REFUSALS.has(this.status);
  }

  /** True when the session ended: after a log-in, in another tab even, the same may succeed. */
  get needsLogIn() {
    return this.status === 401;
  }

  /** True when the upload is not there any more, or not for us. */
  get isGone() {
    return this.status === 404 || this.status === 410;
  }
}

/** The parsed JSON, or null. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
