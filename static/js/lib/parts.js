// The queue of parts: a few travel at once, each until the storage has acknowledged it.
//
// Note [One queue, two sources]
// A chosen file gives all its parts at once, a recording gives each when it is full. The queue knows neither: it is
// given parts `{number, blob}` and a way to send one, and says how many bytes are acknowledged and how many under way.
//
// Note [How many at once]
// A broken line or a reload costs what was under way. So where a part takes longer than a moment, parts leave one after
// the other: the next begins when the last byte of the one before is on the line, not when it is acknowledged, so that
// the line never idles, and its signature is fetched meanwhile. Where parts are quicker, the way there and back is what
// takes time, and up to four leave side by side. Measured by benchmarks/upload_browser.py.
//
// Note [What a reload costs]
// Nothing that the storage has whole is sent again, whether or not this page still heard of it. What is lost is the
// bytes of parts that were half sent: less than one part where a part takes longer than a moment; on a faster line up
// to four, each of which that line carries in less than a moment.
import { persist } from "./backoff.js";

const MOST_PARALLEL = 4;
const MOMENT_MS = 1000;

export class PartsQueue {
  #send;
  #onChange;
  #waiting = [];
  #running = new Map();
  #acknowledgedBytes = 0;
  #isPaused = false;
  #parallel = 1;
  #failure = null;
  #listeners = [];

  /** `send(part, {signal, onSent, following})` is one try, `following` the parts that wait; `onChange(problem)` is called at every step, with what held it up. */
  constructor(send, onChange) {
    this.#send = send;
    this.#onChange = onChange;
  }

  add(part) {
    this.#waiting.push(part);
    queueMicrotask(() => this.#fill()); // so that the first one sent knows which follow
  }

  /** Counts bytes that the storage held before. */
  countHeld(bytes) {
    this.#acknowledgedBytes += bytes;
  }

  get acknowledgedBytes() {
    return this.#acknowledgedBytes;
  }

  /** Acknowledged bytes and those on the line. */
  get sentBytes() {
    return [...this.#running.values()].reduce((sum, { sentBytes }) => sum + sentBytes, this.#acknowledgedBytes);
  }

  /** Resolves when every part added so far is acknowledged; throws what ended it. */
  drained() {
    return new Promise((resolve, reject) => {
      this.#listeners.push({ resolve, reject });
      this.#settle();
    });
  }

  pause() {
    this.#isPaused = true;
    for (const { abort } of this.#running.values()) abort.abort(new DOMException("paused", "AbortError"));
  }

  resume() {
    this.#isPaused = false;
    this.#fill();
  }

  /** Ends it for good; `drained` throws `reason`. */
  stop(reason) {
    this.#failure ??= reason;
    this.#waiting = [];
    this.pause();
    this.#settle();
  }

  #fill() {
    while (!this.#isPaused && this.#waiting.length && this.#hasRoom) this.#run(this.#waiting.shift());
  }

  get #hasRoom() {
    const leaving = [...this.#running.values()].filter(({ isSent }) => !isSent);
    return leaving.length < this.#parallel && this.#running.size < MOST_PARALLEL;
  }

  async #run(part) {
    const try_ = { sentBytes: 0, isSent: false, abort: new AbortController() };
    const began = performance.now();
    this.#running.set(part.number, try_);
    try {
      await persist(() => this.#try(part, try_), { signal: try_.abort.signal, onWait: this.#onChange });
      this.#acknowledgedBytes += part.blob.size;
      this.#parallel = performance.now() - began < MOMENT_MS ? Math.min(MOST_PARALLEL, this.#parallel * 2) : 1;
    } catch (problem) {
      if (try_.abort.signal.aborted) this.#waiting.unshift(part);
      else this.#failure ??= problem;
    }
    this.#running.delete(part.number);
    if (this.#failure) this.#waiting = [];
    this.#onChange(null);
    this.#fill();
    this.#settle();
  }

  #try(part, try_) {
    Object.assign(try_, { sentBytes: 0, isSent: false });
    const onSent = (bytes) => {
      try_.sentBytes = Math.min(bytes, part.blob.size);
      try_.isSent = try_.sentBytes === part.blob.size;
      this.#onChange(null);
      this.#fill();
    };
    return this.#send(part, { signal: try_.abort.signal, onSent, following: this.#waiting });
  }

  #settle() {
    if (!this.#failure && (this.#waiting.length || this.#running.size)) return;
    for (const { resolve, reject } of this.#listeners.splice(0)) {
      if (this.#failure) reject(this.#failure);
      else resolve();
    }
  }
}
