// A recording whose tab crashed: the parts that the storage holds, and the rest from this device.
import { chunksOf, dropRecording, recordingsOf } from "./chunks.js";
import { holdRecording } from "./recording-locks.js";
import { wishOf } from "./recording-source.js";
import { UploadSource } from "./upload-source.js";

/** The newest recording of a place that no tab is making, as a source `{record, send, …}`; null if there is none. */
export async function unfinishedRecording(calls, place) {
  for (const record of await recordingsOf(place)) {
    const release = await holdRecording(record.id);
    if (release) return new RecoveredSource(calls, record, release);
  }
  return null;
}

class RecoveredSource extends UploadSource {
  file = null;
  sizeBytes = 0; // known once it sends

  #calls;
  #release;

  constructor(calls, record, release) {
    super();
    this.record = record;
    this.#calls = calls;
    this.#release = release;
  }

  /** Sends what is missing; resolves to the video. */
  async send() {
    const upload = this.#begin();
    const opened = await upload.open();
    if (!opened.video) this.sizeBytes = addParts(upload, opened, await chunksOf(this.record.id));
    return upload.finish(this.sizeBytes);
  }

  /** Throws it away; an upload that nobody has looked for yet is looked for first, else it is swept in time. */
  async discard() {
    this.forget();
    const upload = this.#begin();
    await upload.open().then(() => upload.cancel()).catch(() => {});
  }

  forget() {
    dropRecording(this.record.id).then(this.#release);
  }

  #begin() {
    return this.begin(this.#calls, wishOf(this.record));
  }
}

/** Adds the parts that the storage lacks; returns how many bytes the recording has altogether. */
function addParts(upload, { part_size_bytes: size, parts }, chunks) {
  const held = new Map(parts.map(({ number, size_bytes }) => [number, size_bytes]));
  for (let number = 1, at = 0; ; number += 1) {
    const blob = held.has(number) ? null : span(chunks, at, at + size);
    if (blob?.size) upload.add(number, blob);
    const bytes = blob ? blob.size : held.get(number);
    at += bytes;
    if (bytes < size) return at;
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
