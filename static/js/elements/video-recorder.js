// <video-recorder>: films in the page. Sound out, look at yourself, 3-2-1, record, look at it, use it or do it again.
// Put into the page it opens; `newSource(mimeType)` gives it a source that sends while the camera runs.
// Event: recorder-use {source, sending}. It leaves the page when it closes.
import { Countdown } from "../lib/countdown.js";
import { leaveFreely, warnOnLeaving } from "../lib/leaving.js";
import { Recording } from "../lib/recording.js";
import { RecordingPicture } from "../lib/recording-picture.js";
import { RecordingReview } from "../lib/recording-review.js";
import { clock } from "../lib/timecode.js";
import { keepScreenOn, letScreenSleep } from "../lib/wake-lock.js";

const COUNT = 3;
const STOPPED = "Stopped. Look at it, then use it or record again.";
const CAMERA_LOST = "The camera has stopped. Connect it, or close what else uses it, then try again.";
const LOST_MEANWHILE = "The camera has stopped. What was recorded until then is here.";

export class VideoRecorder extends HTMLElement {
  newSource = null;

  connectedCallback() {
    this.#review = new RecordingReview(this.#part("review"));
    this.#dialog.showModal();
    this.#dialog.addEventListener("cancel", (event) => this.#onEscape(event));
    this.addEventListener("click", ({ target }) => this.#commands[target.closest("[data-command]")?.dataset.command]?.());
    this.addEventListener("change", ({ target }) => target.matches("select") && this.#open(() => this.#picture.choose()));
    document.addEventListener("visibilitychange", this.#onHidden);
    this.#open(() => this.#picture.open({}));
    this.#tick();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onHidden);
    cancelAnimationFrame(this.#frame);
    this.#countdown.stop();
    this.#picture.close();
    this.#review.clear();
    letScreenSleep();
    leaveFreely();
  }

  #picture = new RecordingPicture((name) => this.#part(name), () => this.#onLost());
  #review;
  #countdown = new Countdown();
  #recording = null;
  #frame = 0;

  #commands = {
    start: () => this.#countDown(),
    stop: () => this.#recording.stop(),
    pause: () => this.#pause(),
    resume: () => this.#resume(),
    retake: () => this.#retake(),
    use: () => this.#use(),
    close: () => this.#close(),
    retry: () => this.#open(() => this.#picture.open({})),
    flip: () => this.#open(() => this.#picture.flip()),
    mirror: () => this.#picture.mirror(),
  };

  #onHidden = () => document.hidden && this.#recording?.flush();

  get #dialog() {
    return this.querySelector("dialog");
  }

  #part(name) {
    return this.querySelector(`[data-part=${name}]`);
  }

  #show(state, words = "") {
    this.dataset.state = state;
    this.#part("spoken").textContent = words;
    for (const element of this.querySelectorAll("[data-when]")) {
      element.hidden = !element.dataset.when.split(" ").includes(state);
    }
    this.querySelector("[data-first]:not([hidden] *, [hidden])")?.focus();
  }

  async #open(camera) {
    const pressed = this.dataset.state === "ready" ? document.activeElement : null;
    this.#show("asking", "Waiting for the camera");
    try {
      await camera();
    } catch (error) {
      return this.#refuse(error.message);
    }
    if (!this.isConnected) return this.#picture.close();
    this.#show("ready", "The camera is on");
    pressed?.focus(); // whoever flips may want to flip back
  }

  #refuse(sentence) {
    this.#part("sentence").textContent = sentence;
    this.#show("refused");
  }

  #countDown() {
    const say = (number) => {
      this.#part("count").textContent = number;
      this.#show("counting", String(number));
    };
    this.#countdown.start(COUNT, say, () => this.#start());
  }

  async #start() {
    this.#recording = new Recording(this.#picture.stream, this.newSource, (recording) => this.#onEnd(recording));
    warnOnLeaving();
    keepScreenOn();
    await this.#recording.start();
    this.#show("recording", "Recording");
  }

  #pause() {
    this.#recording.pause();
    this.#show("paused", "Paused");
  }

  #resume() {
    this.#recording.resume();
    this.#show("recording", "Recording");
  }

  #onLost() {
    if (["recording", "paused"].includes(this.dataset.state)) return this.#recording.stop(LOST_MEANWHILE);
    if (this.dataset.state === "review") return; // the next one opens it again
    this.#countdown.stop();
    this.#refuse(CAMERA_LOST);
  }

  #onEnd({ source, reason }) {
    letScreenSleep();
    leaveFreely();
    if (!source) return this.#refuse(CAMERA_LOST);
    this.#part("note").textContent = reason;
    this.#show("review", `${reason} ${STOPPED}`);
    this.#review.show(source.file);
  }

  #retake() {
    this.#recording.source.cancel();
    this.#review.clear();
    if (this.#picture.isLive) this.#show("ready", "The camera is on");
    else this.#open(() => this.#picture.open({}));
  }

  #use() {
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent("recorder-use", { detail: this.#recording }));
    this.remove();
  }

  #close() {
    if (this.dataset.state === "counting") {
      this.#countdown.stop();
      return this.#show("ready", "The camera is on");
    }
    const isReviewing = this.dataset.state === "review";
    if (isReviewing && !confirm("Throw this recording away?")) return;
    if (isReviewing) this.#recording.source.cancel();
    this.#dialog.close(); // so that the focus goes back to where it came from
    this.remove();
  }

  #onEscape(event) {
    event.preventDefault();
    if (["recording", "paused"].includes(this.dataset.state)) this.#recording.stop();
    else this.#close();
  }

  #tick() {
    this.#part("level").value = this.#picture.loudness;
    if (this.#recording) {
      this.#part("clock").textContent = clock(Math.floor(this.#recording.elapsedMs / 1000));
      this.#part("sent").textContent = this.#recording.progress;
    }
    this.#frame = requestAnimationFrame(() => this.#tick());
  }
}
