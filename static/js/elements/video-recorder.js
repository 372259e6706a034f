// <video-recorder>: films in the page. Sound out, look at yourself, 3-2-1, record, look at it, use it or do it again.
// Put into the page it opens; `newSource(mimeType, onStep)` gives it a source that sends while the camera runs.
// Event: recorder-use {source, sending}. It leaves the page when it closes.
import { close, devices, openCamera, sourcesOf } from "../lib/camera.js";
import { Take } from "../lib/recording-take.js";
import { SoundLevel } from "../lib/sound-level.js";
import { clock } from "../lib/timecode.js";
import { fileSize } from "../lib/transfer.js";

const COUNT = 3;
const COUNT_MS = 1000;
const LONGEST_MS = 30 * 60_000; // a browser's memory grows while it records

export class VideoRecorder extends HTMLElement {
  newSource = null;

  connectedCallback() {
    this.#dialog.showModal();
    this.#dialog.addEventListener("cancel", (event) => this.#onEscape(event));
    this.addEventListener("click", (event) => this.#commands[event.target.closest("[data-command]")?.dataset.command]?.(event));
    this.addEventListener("change", (event) => event.target.matches("select") && this.#choose());
    this.#openCamera({});
  }

  disconnectedCallback() {
    clearInterval(this.#counting);
    cancelAnimationFrame(this.#frame);
    this.#level?.close();
    close(this.#stream);
    this.#clearReview();
    removeEventListener("beforeunload", warn);
  }

  #stream = null;
  #level = null;
  #take = null;
  #source = null;
  #sending = null;
  #step = { acknowledged: 0 };
  #bytes = 0;
  #frame = 0;
  #counting = 0;

  #commands = {
    start: () => this.#countDown(),
    stop: () => this.#stop(),
    pause: () => this.#pause(),
    resume: () => this.#resume(),
    retake: () => this.#retake(),
    use: () => this.#use(),
    close: () => this.#close(),
    retry: () => this.#openCamera({}),
    flip: () => this.#openCamera({ facing: sourcesOf(this.#stream).facing === "environment" ? "user" : "environment" }),
    mirror: (event) => this.#mirror(event.target.closest("button").getAttribute("aria-pressed") !== "true"),
  };

  get #dialog() {
    return this.querySelector("dialog");
  }

  get #preview() {
    return this.#part("preview");
  }

  get #review() {
    return this.#part("review");
  }

  #part(name) {
    return this.querySelector(`[data-part=${name}]`);
  }

  #show(state, words = "") {
    this.dataset.state = state;
    this.#part("spoken").textContent = words;
    for (const element of this.querySelectorAll("[data-when]")) element.hidden = !element.dataset.when.split(" ").includes(state);
    this.querySelector("[data-first]:not([hidden] *, [hidden])")?.focus();
  }

  async #openCamera(wish) {
    this.#show("asking", "Waiting for the camera");
    close(this.#stream);
    this.#level?.close();
    try {
      this.#stream = await openCamera(wish);
    } catch (error) {
      this.#part("sentence").textContent = error.message;
      return this.#show("refused");
    }
    if (!this.isConnected) return close(this.#stream);
    this.#preview.srcObject = this.#stream;
    this.#level = new SoundLevel(this.#stream);
    this.#mirror(sourcesOf(this.#stream).facing !== "environment");
    await this.#listDevices();
    this.#show("ready", "The camera is on");
    this.#tick();
  }

  async #listDevices() {
    const { cameras, microphones } = await devices();
    const now = sourcesOf(this.#stream);
    fill(this.#part("camera"), cameras, now.camera);
    fill(this.#part("microphone"), microphones, now.microphone);
    this.querySelector("[data-command=flip]").classList.toggle("recorder__alone", cameras.length < 2);
  }

  #choose() {
    this.#openCamera({ camera: this.#part("camera").value, microphone: this.#part("microphone").value });
  }

  // Only the preview, as a mirror on the wall: what is recorded is what others see.
  #mirror(is) {
    this.#preview.toggleAttribute("data-mirrored", is);
    this.querySelector("[data-command=mirror]").setAttribute("aria-pressed", is);
  }

  #countDown() {
    let left = COUNT;
    const say = () => {
      this.#part("count").textContent = left;
      this.#part("spoken").textContent = String(left);
    };
    this.#show("counting", String(left));
    say();
    this.#counting = setInterval(() => {
      left -= 1;
      if (left > 0) return say();
      clearInterval(this.#counting);
      this.#start();
    }, COUNT_MS);
  }

  async #start() {
    this.#bytes = 0;
    this.#take = new Take(this.#stream, (blob, elapsedMs) => this.#onChunk(blob, elapsedMs));
    addEventListener("beforeunload", warn);
    await this.#take.start();
    this.#step = { acknowledged: 0 };
    this.#source = this.newSource(this.#take.mimeType, (step) => (this.#step = step));
    this.#show("recording", "Recording");
  }

  #onChunk(blob, elapsedMs) {
    this.#bytes += blob.size;
    this.#source.append(blob, elapsedMs);
    if (elapsedMs > LONGEST_MS) this.#stop();
  }

  #pause() {
    this.#take.pause();
    this.#show("paused", "Paused");
  }

  #resume() {
    this.#take.resume();
    this.#show("recording", "Recording");
  }

  async #stop() {
    await this.#take.stop();
    removeEventListener("beforeunload", warn);
    this.#sending = this.#source.send();
    this.#sending.catch(() => {}); // whoever uses it meets it
    this.#show("review", "Stopped. Look at it, then use it or record again.");
    this.#review.src = URL.createObjectURL(this.#source.file);
    tellLength(this.#review);
  }

  #retake() {
    this.#source.cancel();
    this.#clearReview();
    this.#show("ready", "The camera is on");
  }

  #clearReview() {
    const { src } = this.#review;
    this.#review.removeAttribute("src");
    this.#review.load();
    URL.revokeObjectURL(src);
  }

  #use() {
    this.dispatchEvent(new CustomEvent("recorder-use", { detail: { source: this.#source, sending: this.#sending } }));
    this.remove();
  }

  #close() {
    const isReviewing = this.dataset.state === "review";
    if (isReviewing && !confirm("Throw this recording away?")) return;
    if (isReviewing) this.#source.cancel();
    this.remove();
  }

  #onEscape(event) {
    event.preventDefault();
    if (["recording", "paused"].includes(this.dataset.state)) this.#stop();
    else this.#close();
  }

  #tick() {
    cancelAnimationFrame(this.#frame);
    this.#part("level").value = this.#level.value;
    this.#part("clock").textContent = clock(Math.floor((this.#take?.elapsedMs ?? 0) / 1000));
    const { acknowledged } = this.#step;
    const isAllSent = this.dataset.state === "review" && acknowledged >= this.#bytes;
    this.#part("sent").textContent = isAllSent ? "all sent" : `sent ${fileSize(acknowledged)} of ${fileSize(this.#bytes)}`;
    this.#frame = requestAnimationFrame(() => this.#tick());
  }
}

function fill(select, devices, current) {
  select.replaceChildren(...devices.map(({ id, label }) => new Option(label, id, false, id === current)));
  select.closest("label").hidden = devices.length < 2;
}

// What a browser records says no length. Sent past its end, a player finds it out.
function tellLength(video) {
  const find = () => {
    if (video.duration !== Infinity) return;
    video.addEventListener("timeupdate", () => (video.currentTime = 0), { once: true });
    video.currentTime = Number.MAX_SAFE_INTEGER;
  };
  video.addEventListener("loadedmetadata", find, { once: true });
}

function warn(event) {
  event.preventDefault();
}
