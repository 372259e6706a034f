// Cuts what a recorder gives, in chunks of any size, into parts of one size; the last one is what remains.

export class ChunkCutter {
  #partSize = 0;
  #pending = [];
  #pendingBytes = 0;
  #number = 0;
  #chunks = [];
  #onPart;

  /** `onPart(number, blob)` is given every part as soon as it is whole; there are none before the size is known. */
  constructor(onPart) {
    this.#onPart = onPart;
  }

  set partSize(bytes) {
    this.#partSize = bytes;
    this.#cut();
  }

  /** Takes a chunk; returns the offset of its first byte. */
  append(blob) {
    const last = this.#chunks.at(-1);
    const offset = last ? last.offset + last.size : 0;
    this.#chunks.push({ offset, size: blob.size });
    this.#pending.push(blob);
    this.#pendingBytes += blob.size;
    this.#cut();
    return offset;
  }

  /** Gives what remains as the last part. */
  end() {
    if (this.#pendingBytes) this.#give(this.#pendingBytes);
  }

  /** The offsets of the chunks that lie wholly in the parts with these numbers. */
  chunksWithin(numbers) {
    const size = this.#partSize;
    const inside = ({ offset, size: bytes }) => {
      const first = Math.floor(offset / size) + 1;
      const last = Math.ceil((offset + bytes) / size);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index).every((number) => numbers.has(number));
    };
    return this.#chunks.filter(inside).map(({ offset }) => offset);
  }

  #cut() {
    while (this.#partSize && this.#pendingBytes >= this.#partSize) this.#give(this.#partSize);
  }

  #give(bytes) {
    const all = new Blob(this.#pending);
    this.#pending = bytes < all.size ? [all.slice(bytes)] : [];
    this.#pendingBytes -= bytes;
    this.#number += 1;
    this.#onPart(this.#number, all.slice(0, bytes));
  }
}
