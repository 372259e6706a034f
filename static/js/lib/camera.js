// The cameras and microphones of this device.

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 60 } };
const REFUSALS = {
  NotAllowedError: "Practika may not use the camera. Allow it in the browser's settings for this site, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again, or choose a video instead.",
  NotReadableError: "Another program uses the camera. Close it, then try again.",
};
const NO_CAMERA = "The camera did not start. Try again, or choose a video instead.";

/**
 * Opens a camera with its microphone; `wish` is `{camera, microphone, facing}`, each may be missing. Without a
 * microphone the film is silent. Throws an Error with a sentence for people.
 */
export async function openCamera(wish) {
  const video = wish.camera ? { ...PICTURE, deviceId: { exact: wish.camera } } : { ...PICTURE, facingMode: wish.facing ?? "user" };
  const audio = wish.microphone ? { deviceId: { exact: wish.microphone } } : true;
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    if (error.name !== "NotFoundError") throw refusal(error);
    return navigator.mediaDevices.getUserMedia({ video }).catch((second) => Promise.reject(refusal(second)));
  }
}

/** Resolves to `{cameras, microphones}`, each a list of `{id, label}`; labels are known once one is open. */
export async function devices() {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind, word) =>
    all
      .filter((device) => device.kind === kind && device.deviceId)
      .map((device, index) => ({ id: device.deviceId, label: device.label || `${word} ${index + 1}` }));
  return { cameras: of("videoinput", "Camera"), microphones: of("audioinput", "Microphone") };
}

/** The devices a stream comes from: `{camera, microphone, facing}`. */
export function sourcesOf(stream) {
  const picture = stream.getVideoTracks()[0]?.getSettings() ?? {};
  const sound = stream.getAudioTracks()[0]?.getSettings() ?? {};
  return { camera: picture.deviceId, microphone: sound.deviceId, facing: picture.facingMode };
}

export function close(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function refusal(error) {
  return new Error(REFUSALS[error.name] ?? NO_CAMERA, { cause: error });
}
