// Playing on after a broken connection.
//
// Note [Expired addresses]
// A video's address redirects to a signed one that lives for hours, not for ever, and browsers go on asking the
// signed one. When it has expired the video ends in a network error; setting the address again signs a new one.

const MOST_TRIES = 3;
const NETWORK = 2; // MediaError.MEDIA_ERR_NETWORK

export class Recovery {
  #video;
  #tries = 0;

  constructor(video) {
    this.#video = video;
    video.addEventListener("playing", () => (this.#tries = 0));
  }

  /** Sets the address again and goes back to where it was; false when that is no use. */
  try() {
    if (this.#video.error?.code !== NETWORK || this.#tries >= MOST_TRIES) return false;
    this.#tries += 1;
    const { currentTime, paused, playbackRate, src } = this.#video;
    this.#video.src = src;
    this.#video.currentTime = currentTime;
    this.#video.playbackRate = playbackRate;
    if (!paused) this.#video.play().catch(() => {});
    return true;
  }
}
