// Keeping the screen on: a device that locks itself takes the camera away.

let held = null;

/** Asks for the screen to stay on until `letScreenSleep`; not every browser can, and that is fine. */
export async function keepScreenOn() {
  document.addEventListener("visibilitychange", ask); // the browser lets go whenever the page is hidden
  await ask();
}

/** Lets the screen go off again. */
export function letScreenSleep() {
  document.removeEventListener("visibilitychange", ask);
  held?.release();
  held = null;
}

async function ask() {
  if (document.hidden) return;
  try {
    held = await navigator.wakeLock?.request("screen");
  } catch {
    held = null; // a flat battery, say
  }
}
