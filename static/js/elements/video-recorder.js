// <video-recorder>: films in the page. Sound out, look at yourself, 3-2-1, record, look at it, use it or do it again.
// Put into the page it opens; `newSource(mimeType)` gives it a source that sends while the camera runs.
// Event: recorder-use {source, sending}. It leaves the page when it closes.
import { Countdown } from "../lib/countdown.js";
import { leaveFreely, warnOnLeaving } from "../lib/leaving.js";
import { RecorderPanel } from "../lib/recorder-panel.js";
import { Recording } from "../lib/recording.js";
import { RecordingPicture } from "../lib/recording-picture.js";
import { RecordingReview } from "../lib/recording-review.js";
import { keepScreenOn, letScreenSleep } from "../lib/wake-lock.js";

const COUNT = 3;
const STOPPED = "Stopped. Look at it, then use it or record again.";
const CAMERA_LOST = "The camera has stopped. Connect it, or close what else uses it, then try again.";
const LOST_MEANWHILE = "The camera has stopped. What was recorded until then is here.";

export class VideoRecorder extends HTMLElement {
  newSource = null;

  connectedCallback() {
    this.#review = new RecordingReview(this.#panel.part("review"));
    this.#dialog.showModal();
    this.#dialog.addEventListener("cancel", (event) => this.#onEscape(event));
    this.addEventListener("click", ({ target }) => this.#commands[target.closest("[data-command]")?.dataset.command]?.());
    this.addEventListener("change", ({ target }) => target.matches("select") && this.#open(() => this.#picture.choose()));
    document.addEventListener("visibilitychange", this.#onHidden);
    this.#open(() => this.#picture.open({}));
    this.#panel.follow(() => ({ loudness: this.#picture.loudness, recording: this.#recording }));
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onHidden);
    this.#panel.stop();
    this.#countdown.stop();
    this.#picture.close();
    this.#review.clear();
    letScreenSleep();
    leaveFreely();
  }

  #panel = new RecorderPanel(this);
  #picture = new RecordingPicture((name) => this.#panel.part(name), () => this.#onLost());
  #review;
  #countdown = new Countdown();
  #recording = null;

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

  async #open(camera) {
    const pressed = this.#panel.state === "ready" ? document.activeElement : null;
    this.#panel.show("asking", "Waiting for the camera");
    try {
      await camera();
    } catch (error) {
      return this.#panel.refuse(error.message);
    }
    if (!this.isConnected) return this.#picture.close();
    this.#panel.show("ready", "The camera is on");
    pressed?.focus(); // whoever flips may want to flip back
  }

  #countDown() {
    const say = (number) => {
      this.#panel.part("count").textContent = number;
      this.#panel.show("counting", String(number));
    };
    this.#countdown.start(COUNT, say, () => this.#start());
  }

  async #start() {
    this.#recording = new Recording(this.#picture.stream, this.newSource, (recording) => this.#onEnd(recording));
    warnOnLeaving();
    keepScreenOn();
    await this.#recording.start();
    this.#panel.show("recording", "Recording");
  }

  #pause() {
    this.#recording.pause();
    this.#panel.show("paused", "Paused");
  }

  #resume() {
    this.#recording.resume();
    this.#panel.show("recording", "Recording");
  }

  #onLost() {
    if (["recording", "paused"].includes(this.#panel.state)) return this.#recording.stop(LOST_MEANWHILE);
    if (this.#panel.state === "review") return; // the next one opens it again
    this.#countdown.stop();
    this.#panel.refuse(CAMERA_LOST);
  }

  #onEnd({ source, reason }) {
    letScreenSleep();
    leaveFreely();
    if (!source) return this.#panel.refuse(CAMERA_LOST);
    this.#panel.part("note").textContent = reason;
    this.#panel.show("review", `${reason} ${STOPPED}`);
    this.#review.show(source.file);
  }

  #retake() {
    this.#recording.source.cancel();
    this.#review.clear();
    if (this.#picture.isLive) this.#panel.show("ready", "The camera is on");
    else this.#open(() => this.#picture.open({}));
  }

  #use() {
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent("recorder-use", { detail: this.#recording }));
    this.remove();
  }

  #close() {
    if (this.#panel.state === "counting") {
      this.#countdown.stop();
      return this.#panel.show("ready", "The camera is on");
    }
    const isReviewing = this.#panel.state === "review";
    if (isReviewing && !confirm("Throw this recording away?")) return;
    if (isReviewing) this.#recording.source.cancel();
    this.#dialog.close(); // so that the focus goes back to where it came from
    this.remove();
  }

  #onEscape(event) {
    event.preventDefault();
    if (["recording", "paused"].includes(this.#panel.state)) this.#recording.stop();
    else this.#close();
  }
}
