// A chosen file as the source of an upload.
import { UploadSource } from "./upload-source.js";
import { forget, tokenOf } from "./uploads-memory.js";

export class FileSource extends UploadSource {
  #calls;
  #file;
  #classroom;

  constructor(calls, file, classroom) {
    super();
    this.#calls = calls;
    this.#file = file;
    this.#classroom = classroom;
  }

  /** Resolves to the video; goes on with what an earlier page has sent, and begins anew when that is gone. */
  async send() {
    try {
      return await this.#run();
    } catch (problem) {
      if (!problem.isGone && problem.status !== 409) throw problem;
      if (problem.isGone) this.forget(); // else another tab has finished it
      return this.#run();
    }
  }

  get file() {
    return this.#file;
  }

  get sizeBytes() {
    return this.#file.size;
  }

  forget() {
    forget(this.#file, this.#classroom);
  }

  async #run() {
    let upload = this.begin(this.#calls, this.#wish);
    let opened = await upload.open();
    if (opened.state.startsWith("abort")) {
      this.forget();
      upload = this.begin(this.#calls, this.#wish);
      opened = await upload.open();
    }
    if (!opened.video) this.#addParts(upload, opened);
    return upload.finish(this.#file.size);
  }

  #addParts(upload, { part_size_bytes: size, parts }) {
    const held = new Set(parts.map(({ number }) => number));
    for (let number = 1, at = 0; at < this.#file.size; number += 1, at += size) {
      if (!held.has(number)) upload.add(number, this.#file.slice(at, at + size));
    }
  }

  get #wish() {
    return {
      client_token: tokenOf(this.#file, this.#classroom),
      file_name: this.#file.name,
      mime_type: this.#file.type,
      size_bytes: this.#file.size,
      classroom: this.#classroom,
    };
  }
}
