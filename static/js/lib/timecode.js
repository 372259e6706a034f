// Moments and lengths as the server writes them (core/templatetags/practika.py says the same).

/** Milliseconds to "0:04.2", rounded down to the tenth. */
export function timecode(ms) {
  const tenths = Math.floor(Math.max(ms, 0) / 100);
  return `${clock(Math.floor(tenths / 10))}.${tenths % 10}`;
}

/** Whole seconds to "1:02:03" or "2:03". */
export function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
