// Whether a recording is alive: the tab that makes it, or finishes it, holds a lock of its name.
const CRASH_NOTICED_MS = 10_000; // a browser lets go of a crashed tab's locks only when it has noticed the crash

/** Resolves to a function that lets go of the lock, or to null when another tab goes on holding it. */
export function holdRecording(id) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    const options = { signal: AbortSignal.timeout(CRASH_NOTICED_MS) };
    const hold = () => new Promise((release) => resolve(release));
    navigator.locks.request(`practika-recording-${id}`, options, hold).catch(() => resolve(null));
  });
}
