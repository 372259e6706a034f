// What a source of an upload can be told, whatever it sends: to wait, to go on, to end.
import { Upload } from "./upload.js";

export class UploadSource {
  /** Is told every step `{acknowledged, sent, problem}`: bytes the storage has, those and what is on the line. */
  onStep = () => {};

  /** The video as a file, when it is nowhere else: its person may want to save it. */
  onlyCopy = null;

  #upload = null;

  /** Returns a new upload with what it is opened with; what the source is told from here on, it is told. */
  begin(calls, wish, onPart) {
    this.#upload = new Upload(calls, wish, { onChange: (step) => this.onStep(step), onPart });
    return this.#upload;
  }

  pause() {
    this.#upload?.pause();
  }

  resume() {
    this.#upload?.resume();
  }

  /** Stops sending; what the storage holds stays there. */
  stop() {
    this.#upload?.stop();
  }

  /** Throws away what was sent. */
  cancel() {
    this.#upload?.cancel();
    this.forget();
  }
}
