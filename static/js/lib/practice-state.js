// Loop, speed and mirror in the address, so that a way of practising can be shared and survives a reload.

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];

/** What the address says: `{loop: [from, to] or null, speed, mirror}`; what makes no sense counts as not said. */
export function readState(search) {
  const params = new URLSearchParams(search);
  const ends = (params.get("loop") ?? "").match(/^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/);
  const loop = ends ? [Number(ends[1]), Number(ends[2])] : null;
  const speed = Number(params.get("speed") ?? 1);
  return {
    loop: loop && loop[0] < loop[1] ? loop : null,
    speed: SPEEDS.includes(speed) ? speed : 1,
    mirror: params.get("mirror") === "1",
  };
}

/** The address's query with this state in it; other parameters stay. Returns "" or "?…". */
export function writeState(search, { loop, speed, mirror }) {
  const params = new URLSearchParams(search);
  put(params, "loop", loop && `${seconds(loop[0])}-${seconds(loop[1])}`);
  put(params, "speed", speed !== 1 && String(speed));
  put(params, "mirror", mirror && "1");
  const query = params.toString();
  return query ? `?${query}` : "";
}

/** Keeps this state in the address of the page, without a new entry in the history. */
export function keepState(state) {
  history.replaceState(history.state, "", location.pathname + writeState(location.search, state) + location.hash);
}

/** The speed one step slower (-1) or faster (+1). */
export function nextSpeed(speed, step) {
  const place = SPEEDS.indexOf(speed) + step;
  return SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)];
}

function put(params, name, value) {
  if (value) params.set(name, value);
  else params.delete(name);
}

function seconds(value) {
  return String(Math.round(value * 1000) / 1000);
}
