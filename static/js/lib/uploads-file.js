// A chosen file as the source of an upload.
import { Upload } from "./upload.js";
import { forget, tokenOf } from "./uploads-memory.js";

export class FileSource {
  #calls;
  #file;
  #classroom;
  #onChange;
  #upload = null;

  constructor(calls, file, classroom, onChange) {
    this.#calls = calls;
    this.#file = file;
    this.#classroom = classroom;
    this.#onChange = onChange;
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

  pause() {
    this.#upload?.pause();
  }

  resume() {
    this.#upload?.resume();
  }

  stop() {
    this.#upload?.stop();
  }

  cancel() {
    this.#upload?.cancel();
    this.forget();
  }

  forget() {
    forget(this.#file, this.#classroom);
  }

  async #run() {
    this.#upload = new Upload(this.#calls, this.#wish, { onChange: this.#onChange });
    let opened = await this.#upload.open();
    if (opened.state.startsWith("abort")) {
      this.forget();
      this.#upload = new Upload(this.#calls, this.#wish, { onChange: this.#onChange });
      opened = await this.#upload.open();
    }
    if (!opened.video) this.#addParts(opened);
    return this.#upload.finish(this.#file.size);
  }

  #addParts({ part_size_bytes: size, parts }) {
    const held = new Set((parts ?? []).map(({ number }) => number));
    for (let number = 1, at = 0; at < this.#file.size; number += 1, at += size) {
      if (!held.has(number)) this.#upload.add(number, this.#file.slice(at, at + size));
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
