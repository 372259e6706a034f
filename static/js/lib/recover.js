// Playing on after a broken connection, and saying why nothing plays.
//
// Note [Expired addresses]
// A video's address redirects to a signed one that lives for hours, not for ever, and browsers go on asking the
// signed one. When it has expired the video ends in a network error; setting the address again signs a new one.
//
// Note [A refused video]
// A browser reports a video that was refused (403, 404, 409) as one it cannot decode. So before anything is said about
// its codec, the first byte is asked for again, and the answer tells which it is.

const MOST_TRIES = 3;
const NETWORK = 2; // MediaError.MEDIA_ERR_NETWORK
const REASONS = { 401: "entrance", 403: "gone", 404: "gone", 410: "gone", 409: "preparing" };

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

  /** Resolves to why the video does not play: "entrance", "gone", "preparing", "line", or "codec". */
  async reason() {
    const isLine = this.#video.error?.code === NETWORK || !navigator.onLine;
    try {
      const answer = await fetch(this.#video.src, { headers: { Range: "bytes=0-0" } });
      answer.body?.cancel();
      if (answer.redirected && new URL(answer.url).origin === location.origin) return "entrance"; // the log-in page
      return REASONS[answer.status] ?? (answer.ok && !isLine ? "codec" : "line");
    } catch {
      return isLine ? "line" : "codec"; // another origin's storage need not answer scripts
    }
  }
}
