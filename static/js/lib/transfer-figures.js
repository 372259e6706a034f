// Figures of a transfer: measured, never pretended.

const UNITS = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "KB"],
];
const WINDOW_MS = 4000;

/** Bytes in decimal units with one digit, as the server writes them. */
export function fileSize(bytes) {
  const [size, unit] = UNITS.find(([least]) => bytes >= least) ?? [1, "bytes"];
  return size === 1 ? `${bytes} bytes` : `${(bytes / size).toFixed(1)} ${unit}`;
}

/** Seconds as "about 2 minutes left". */
export function timeLeft(seconds) {
  if (seconds < 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} seconds left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} minutes left` : `about ${Math.round(minutes / 60)} hours left`;
}

/** Speed over the last seconds, from the points it is told. */
export class Speedometer {
  #points = [];

  /** Notes that `bytes` were sent at `now` (ms); returns bytes a second, or 0 while it cannot be known. */
  note(bytes, now) {
    this.#points.push([now, bytes]);
    this.#points = this.#points.filter(([at]) => now - at <= WINDOW_MS);
    const [first, sent] = this.#points[0];
    return now - first < 500 ? 0 : Math.max(0, ((bytes - sent) * 1000) / (now - first));
  }
}

/** "1.2 MB of 12.9 MB · 3.4 MB/s · about 5 seconds left"; what is on the line already counts for the time left. */
export function figures(acknowledged, total, speed, sent = acknowledged) {
  const parts = [`${fileSize(acknowledged)} of ${fileSize(total)}`];
  if (speed > 0) parts.push(`${fileSize(Math.round(speed))}/s`, timeLeft((total - sent) / speed));
  return parts.join(" · ");
}
