// The camera's picture before and while something is recorded: which camera and microphone, mirrored or not, how loud.
import { close, devices, openCamera, sourcesOf } from "./camera.js";
import { SoundLevel } from "./sound-level.js";

export class RecordingPicture {
  #part;
  #onLost;
  #stream = null;
  #level = null;

  /** `part(name)` finds the parts of the page; `onLost()` is told when the camera goes away by itself. */
  constructor(part, onLost) {
    this.#part = part;
    this.#onLost = onLost;
  }

  get stream() {
    return this.#stream;
  }

  /** Whether the camera still gives pictures. */
  get isLive() {
    return this.#stream?.getVideoTracks().some((track) => track.readyState === "live") ?? false;
  }

  /** 0 to 1 (see SoundLevel). */
  get loudness() {
    return this.#level?.value ?? 0;
  }

  /** Opens the camera that is wished for (see openCamera), and shows it; throws an Error with a sentence for people. */
  async open(wish) {
    this.close();
    const stream = await openCamera(wish);
    this.#stream = this.#part("preview").srcObject = stream;
    this.#level = new SoundLevel(stream);
    const [camera] = stream.getVideoTracks();
    camera.addEventListener("ended", () => this.#stream === stream && this.#onLost());
    this.mirror(this.#facing !== "environment");
    await this.#list();
  }

  /** Opens the camera and the microphone that are chosen in the lists. */
  choose() {
    return this.open({ camera: this.#part("camera").value, microphone: this.#part("microphone").value });
  }

  /** Opens the camera on the other side of the device; where cameras have no side, the next one. */
  flip() {
    const { camera, microphone, facing } = sourcesOf(this.#stream);
    if (facing) return this.open({ facing: facing === "environment" ? "user" : "environment", microphone });
    const cameras = [...this.#part("camera").options].map(({ value }) => value);
    return this.open({ camera: cameras[(cameras.indexOf(camera) + 1) % cameras.length], microphone });
  }

  /** Mirrors the preview, or not, as a mirror on the wall does: what is recorded is what others see. */
  mirror(is = !this.#part("preview").hasAttribute("data-mirrored")) {
    this.#part("preview").toggleAttribute("data-mirrored", is);
    this.#part("mirror").setAttribute("aria-pressed", is);
  }

  close() {
    this.#level?.close();
    close(this.#stream);
    this.#stream = this.#level = null;
  }

  get #facing() {
    return sourcesOf(this.#stream).facing;
  }

  async #list() {
    const { cameras, microphones } = await devices();
    const now = sourcesOf(this.#stream);
    fill(this.#part("camera"), cameras, now.camera);
    fill(this.#part("microphone"), microphones, now.microphone);
    this.#part("flip").classList.toggle("recorder__alone", cameras.length < 2);
  }
}

function fill(select, devices, current) {
  select.replaceChildren(...devices.map(({ id, label }) => new Option(label, id, false, id === current)));
  select.closest("label").hidden = devices.length < 2;
}
