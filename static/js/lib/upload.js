// One upload, from its opening to the video that was checked. A File or a recording feeds it with parts.
import { persist, wait } from "./backoff.js";
import { PartsQueue } from "./parts.js";
import { putPart } from "./parts-put.js";
import { Signatures } from "./signatures.js";

// 403: the link expired while it lay ready, or the computer slept. 400, 422: the part arrived damaged.
const REFUSALS = new Set([400, 403, 422]);
const MOST_REFUSALS = 4;
const FIRST_LOOK_MS = 150;
const MOST_LOOK_MS = 2000;
const MOST_CHECKING_MS = 20_000;

export class Upload {
  #calls;
  #wish;
  #onChange;
  #onPart;
  #queue;
  #parts = new Map();
  #signatures;
  #abort = new AbortController();
  #opened = null;

  /**
   * `wish` is what the upload is opened with. `onChange({acknowledged, sent, problem})` is told of every step, with the
   * Problem that is being waited out, or null; `onPart(number)` of every part that is acknowledged.
   */
  constructor(calls, wish, { onChange, onPart = () => {} }) {
    this.#calls = calls;
    this.#wish = wish;
    this.#onChange = onChange;
    this.#onPart = onPart;
    const sign = (parts) => calls.sign(this.#opened, parts, this.#abort.signal);
    this.#signatures = new Signatures(sign, () => this.#opened.wants_part_sha256);
    this.#queue = new PartsQueue((part, options) => this.#sendPart(part, options), (problem) => this.#tell(problem));
  }

  /** Opens it, or finds it again; resolves to `{part_size_bytes, parts, video, …}` with what the storage holds. */
  async open() {
    this.#opened = await this.#persist((signal) => this.#calls.open(this.#wish, signal));
    this.#queue.countHeld(this.#opened.parts.reduce((sum, part) => sum + part.size_bytes, 0));
    this.#tell(null);
    return this.#opened;
  }

  add(number, blob) {
    const part = { number, blob };
    this.#parts.set(number, part);
    this.#queue.add(part);
  }

  /**
   * Resolves to the video `{id, state, failure}` once all parts are there and it was checked (or that takes long);
   * with `mayBeUnchecked` at once when all parts are there.
   */
  async finish(sizeBytes, { mayBeUnchecked = false } = {}) {
    await this.#queue.drained();
    const answer = this.#opened.video ? this.#opened : await this.#complete(sizeBytes);
    return mayBeUnchecked ? answer.video : this.#verdict(answer);
  }

  pause() {
    this.#queue.pause();
  }

  resume() {
    this.#queue.resume();
  }

  /** Stops sending; what the storage holds stays there. */
  stop() {
    const reason = new DOMException("stopped", "AbortError");
    this.#abort.abort(reason);
    this.#queue.stop(reason);
  }

  /** Stops, and throws away what was sent. */
  cancel() {
    this.stop();
    if (this.#opened && !this.#opened.video) this.#calls.discard(this.#opened).catch(() => {}); // else: swept in time
  }

  async #sendPart(part, { signal, onSent, following }) {
    for (let refusals = 0; ; refusals += 1) {
      const signed = await this.#signatures.take(part, following);
      signal.throwIfAborted();
      try {
        await putPart(signed, part.blob, { signal, onSent });
        return this.#onPart(part.number);
      } catch (problem) {
        if (!REFUSALS.has(problem.status) || refusals >= MOST_REFUSALS) throw problem;
        this.#signatures.forget();
      }
    }
  }

  async #complete(sizeBytes) {
    try {
      return (this.#opened = await this.#persist((signal) => this.#calls.complete(this.#opened, sizeBytes, signal)));
    } catch (problem) {
      const missing = problem.missing.map((number) => this.#parts.get(number));
      if (!missing.length || missing.includes(undefined)) throw problem;
      for (const part of missing) this.#queue.add(part);
      await this.#queue.drained();
      return this.#complete(sizeBytes);
    }
  }

  async #verdict(answer) {
    const began = performance.now();
    for (let waited = 0; answer.video?.state === "checking"; waited = performance.now() - began) {
      if (waited > MOST_CHECKING_MS) break;
      await wait(Math.min(Math.max(FIRST_LOOK_MS, waited / 4), MOST_LOOK_MS), this.#abort.signal);
      answer = await this.#persist((signal) => this.#calls.look(this.#opened, signal));
    }
    return answer.video;
  }

  #persist(call) {
    const { signal } = this.#abort;
    return persist(() => call(signal), { signal, onWait: (problem) => this.#tell(problem) });
  }

  #tell(problem) {
    const { acknowledgedBytes, sentBytes } = this.#queue;
    this.#onChange({ acknowledged: acknowledgedBytes, sent: sentBytes, problem });
  }
}
