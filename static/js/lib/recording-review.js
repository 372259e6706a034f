// Looking at what was just recorded.

export class RecordingReview {
  #video;

  constructor(video) {
    this.#video = video;
  }

  show(file) {
    this.#video.src = URL.createObjectURL(file);
    tellLength(this.#video);
  }

  clear() {
    const { src } = this.#video;
    this.#video.removeAttribute("src");
    this.#video.load();
    URL.revokeObjectURL(src);
  }
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
