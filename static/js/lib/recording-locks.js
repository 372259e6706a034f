// Whether a recording is alive: the tab that makes it, or finishes it, holds a lock of its name.

/** Resolves to a function that lets go of the lock, or to null when another tab holds it. */
export function holdRecording(id) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(`practika-recording-${id}`, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
