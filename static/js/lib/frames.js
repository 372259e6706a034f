// Stepping by frames.
//
// Note [The middle of a frame]
// A seek to the very start of a frame may land on the one before it, because times are rounded on the way to the
// decoder. The middle, (n + .5) / rate, is the point that is furthest from both neighbors.

const ALMOST = 1e-3;

/** The time in seconds to seek to for the frame `step` frames after the one shown at `now`; the last one has none after it. */
export function frameTime(now, step, rate, duration) {
  const last = Math.max(Math.ceil(duration * rate - ALMOST) - 1, 0);
  const frame = Math.min(Math.floor(now * rate + ALMOST), last) + step;
  return frame > last ? now : (Math.max(frame, 0) + 0.5) / rate;
}

/** Frames a second as a number, from the fraction on the element; 30 when it is not known. */
export function frameRate(numerator, denominator) {
  const rate = Number(numerator) / Number(denominator);
  return Number.isFinite(rate) && rate > 0 ? rate : 30;
}
