// The signed links of parts: fetched ahead and several in one call, each used once.
//
// Note [Ahead, but not far]
// The first call asks for two parts, so that bytes travel soon; each next one for more, and it is made while the last
// signed parts are sent. A storage that checks SHA-256 at no cost gets it: each part is read once more and hashed
// by the browser's own code, off the page's thread, one after the other, so that only one lies in memory.
const FIRST_SIGNED = 2;
const MORE = 4;
const MOST_SIGNED = 32;
const LEAST_READY = 4; // as many as may travel at once
const FRESH_MS = 50 * 60 * 1000; // links live for an hour

export class Signatures {
  #sign;
  #isHashed;
  #links = new Map();
  #count = FIRST_SIGNED;

  /** `sign(wishes)` asks for links of `[{number, size_bytes, sha256?}]` and resolves to them; `isHashed()` tells whether SHA-256 is wanted. */
  constructor(sign, isHashed) {
    this.#sign = sign;
    this.#isHashed = isHashed;
  }

  /** Resolves to a link for `part`; `following` are the parts that come next, and theirs are fetched as well. */
  async take(part, following) {
    if (!this.#has(part)) this.#fetch([part, ...following]);
    const link = this.#links.get(part.number).promise;
    this.#links.delete(part.number);
    const next = following.slice(0, LEAST_READY).findIndex((each) => !this.#has(each));
    if (next >= 0) this.#fetch(following.slice(next));
    return link;
  }

  /** Drops what lies ready: it has expired. */
  forget() {
    this.#links.clear();
  }

  #has({ number }) {
    const link = this.#links.get(number);
    return link !== undefined && Date.now() - link.at < FRESH_MS;
  }

  #fetch(parts) {
    const wanted = parts.slice(0, this.#count).filter((part) => !this.#has(part));
    this.#count = Math.min(MOST_SIGNED, this.#count * MORE);
    const signed = this.#signed(wanted);
    for (const [at, { number }] of wanted.entries()) {
      const promise = signed.then((links) => links[at]);
      promise.catch(() => this.#links.get(number)?.promise === promise && this.#links.delete(number));
      this.#links.set(number, { promise, at: Date.now() });
    }
  }

  async #signed(parts) {
    const wishes = [];
    for (const { number, blob } of parts) wishes.push({ number, size_bytes: blob.size, ...(await this.#digest(blob)) });
    return this.#sign(wishes);
  }

  async #digest(blob) {
    if (!this.#isHashed() || !globalThis.crypto?.subtle) return {}; // subtle needs a secure context
    const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
    return { sha256: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
}
