// A recording whose tab crashed: the parts that the storage holds, and the rest from this device.
import { chunksOf, dropRecording, recordingsOf } from "./chunks.js";
import { holdRecording } from "./recording-locks.js";
import { wishOf } from "./recording-source.js";
import { Upload } from "./upload.js";

/** The newest recording of a place that no tab is making, as a source `{record, send, …}`; null if there is none. */
export async function unfinishedRecording(calls, place, onChange) {
  for (const record of await recordingsOf(place)) {
    const release = await holdRecording(record.id);
    if (release) return new RecoveredSource(calls, record, release, onChange);
  }
  return null;
}

class RecoveredSource {
  file = null;
  sizeBytes = 0; // known once it sends

  #calls;
  #release;
  #onChange;
  #upload = null;

  constructor(calls, record, release, onChange) {
    this.record = record;
    this.#calls = calls;
    this.#release = release;
    this.#onChange = onChange;
  }

  /** Sends what is missing; resolves to the video. */
  async send() {
    this.#upload = new Upload(this.#calls, wishOf(this.record), { onChange: this.#onChange });
    const opened = await this.#upload.open();
    if (!opened.video) this.sizeBytes = this.#addParts(opened, await chunksOf(this.record.id));
    return this.#upload.finish(this.sizeBytes);
  }

  pause() {
    this.#upload?.pause();
  }

  resume() {
    this.#upload?.resume();
  }

  stop() {
    this.#upload?.stop();
  }

  /** Throws it away; an upload that nobody has looked for yet is looked for first. */
  async cancel() {
    this.forget();
    if (this.#upload) return this.#upload.cancel();
    const upload = new Upload(this.#calls, wishOf(this.record), { onChange: () => {} });
    await upload.open().then(() => upload.cancel()).catch(() => {}); // swept in time
  }

  forget() {
    dropRecording(this.record.id).then(this.#release);
  }

  /** Adds the parts that the storage lacks; returns how many bytes the recording has altogether. */
  #addParts({ part_size_bytes: size, parts }, chunks) {
    const held = new Map((parts ?? []).map(({ number, size_bytes }) => [number, size_bytes]));
    for (let number = 1, at = 0; ; number += 1) {
      const blob = held.has(number) ? null : span(chunks, at, at + size);
      if (blob?.size) this.#upload.add(number, blob);
      const bytes = blob ? blob.size : held.get(number);
      at += bytes;
      if (bytes < size) return at;
    }
  }
}

/** The bytes from `start` up to `end`, or up to the first gap. */
function span(chunks, start, end) {
  const pieces = [];
  let at = start;
  for (const { offset, size, blob } of chunks) {
    if (offset > at || at >= end) break;
    if (offset + size <= at) continue;
    pieces.push(blob.slice(at - offset, Math.min(size, end - offset)));
    at = Math.min(end, offset + size);
  }
  return new Blob(pieces);
}
