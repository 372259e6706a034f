// A recording as the source of an upload: its parts travel while the camera runs.
//
// Note [What a recording never waits for]
// Nothing here holds the camera up, and at the end nothing waits for the check: this browser has just made the video
// itself, and the page that follows says when it was checked. Chunks are kept on the device and cut into parts; if the
// upload cannot be opened, or ends, the recording goes on, and `send` carries the whole of it as a file would be carried.
import { dropChunks, dropRecording, keepChunk, noteRecording } from "./chunks.js";
import { ChunkCutter } from "./chunks-cutter.js";
import { holdRecording } from "./recording-locks.js";
import { Upload } from "./upload.js";
import { FileSource } from "./uploads-file.js";
import { newToken } from "./uploads-memory.js";

export class RecordingSource {
  /** Is told every step (see UploadSource). */
  onStep = () => {};

  #calls;
  #record;
  #upload;
  #cutter = new ChunkCutter((number, blob) => this.#upload.add(number, blob));
  #blobs = [];
  #acknowledged = new Set();
  #release = () => {};
  #opening;
  #instead = null;

  /** `place` is where the recording belongs on the site; after a crash it is offered there. */
  constructor(calls, { classroom, place, mimeType }) {
    const id = newToken();
    this.#calls = calls;
    this.#record = { id, token: id, classroom, place, mimeType, startedAt: Date.now(), elapsedMs: 0 };
    this.#upload = new Upload(calls, wishOf(this.#record), {
      onChange: (step) => this.onStep(step),
      onPart: (number) => this.#onPart(number),
    });
    this.#opening = this.#open();
    this.#opening.catch(() => {}); // `send` meets it again
  }

  /** Takes what the recorder gives; `elapsedMs` is how much was recorded by now. */
  append(blob, elapsedMs) {
    this.#blobs.push(blob);
    this.#record.elapsedMs = elapsedMs;
    const offset = this.#cutter.append(blob);
    keepChunk({ recording: this.#record.id, offset, size: blob.size, blob }, { ...this.#record });
  }

  /** The whole recording so far. */
  get file() {
    const { mimeType, startedAt } = this.#record;
    return new File(this.#blobs, nameOf(mimeType), { type: mimeType, lastModified: startedAt });
  }

  /** As the device keeps it nowhere where its person finds it (see UploadSource). */
  get onlyCopy() {
    return this.file;
  }

  get sizeBytes() {
    return this.#blobs.reduce((sum, blob) => sum + blob.size, 0);
  }

  /** Sends the rest once the recorder has stopped; resolves to the video. After a failure it may be called again. */
  async send() {
    if (this.#instead) return this.#instead.send();
    try {
      await this.#opening;
      this.#cutter.end();
      return await this.#upload.finish(this.sizeBytes, { mayBeUnchecked: true });
    } catch (problem) {
      this.#instead = new FileSource(this.#calls, this.file, this.#record.classroom);
      this.#instead.onStep = (step) => this.onStep(step);
      if (problem.isGone) return this.#instead.send();
      throw problem;
    }
  }

  pause() {
    (this.#instead ?? this.#upload).pause();
  }

  resume() {
    (this.#instead ?? this.#upload).resume();
  }

  stop() {
    (this.#instead ?? this.#upload).stop();
  }

  /** Throws away what was recorded, here and on the server. */
  cancel() {
    this.#upload.cancel();
    this.#instead?.cancel();
    this.forget();
  }

  /** Lets go of it: it has arrived, or nobody wants it. */
  forget() {
    this.#instead?.forget();
    dropRecording(this.#record.id).then(this.#release);
  }

  async #open() {
    this.#release = (await holdRecording(this.#record.id)) ?? this.#release;
    await noteRecording({ ...this.#record });
    const { part_size_bytes } = await this.#upload.open();
    this.#cutter.partSize = part_size_bytes;
  }

  #onPart(number) {
    this.#acknowledged.add(number);
    dropChunks(this.#record.id, this.#cutter.chunksWithin(this.#acknowledged));
  }
}

/** What the upload of a recording is opened with: nobody knows yet how large it gets. */
export function wishOf({ token, classroom, mimeType }) {
  const type = mimeType.split(";")[0];
  return { client_token: token, file_name: nameOf(mimeType), mime_type: type, size_bytes: null, classroom };
}

function nameOf(mimeType) {
  return `Recording.${mimeType.startsWith("video/mp4") ? "mp4" : "webm"}`;
}
