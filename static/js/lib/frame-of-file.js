// A picture of a chosen video, made in the browser. It may fail (a codec the browser cannot show); then there is none.

const PATIENCE_MS = 4000;

/** Resolves to a blob URL of an early frame, or to "" . The caller revokes it. */
export async function frameOfFile(file) {
  const source = URL.createObjectURL(file);
  const video = document.createElement("video");
  try {
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", src: source });
    await event(video, "loadeddata");
    video.currentTime = Math.min(1, (video.duration || 0) / 3);
    await event(video, "seeked");
    return await drawn(video);
  } catch {
    return "";
  } finally {
    video.removeAttribute("src");
    video.load(); // else it may ask once more for what is gone
    URL.revokeObjectURL(source);
  }
}

function event(video, name) {
  return new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(video.error), { once: true });
    setTimeout(() => reject(new Error("no frame")), PATIENCE_MS);
  });
}

function drawn(video) {
  const scale = Math.min(1, 320 / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ? URL.createObjectURL(blob) : ""), "image/jpeg", 0.8));
}
