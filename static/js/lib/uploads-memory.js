// Which uploads of this browser are under way: choosing the same file again goes on where it stopped.
//
// Note [The token is the memory]
// The server answers the same `client_token` with the same upload, so the token is all there is to remember. A file is
// recognized by its name, size and time of change, and belongs to one class.

const KEY = "practika.uploads";
const KEPT_MS = 48 * 3600 * 1000; // the server sweeps sooner; afterwards a token only opens an empty upload

/** The token to open the upload of this file with: the remembered one, or a new one that is remembered. */
export function tokenOf(file, classroom) {
  const known = read();
  const name = nameOf(file, classroom);
  known[name] ??= { token: newToken(), at: Date.now() };
  write(known);
  return known[name].token;
}

/** 32 random hexadecimal digits; `crypto.randomUUID` would need a secure context. */
export function newToken() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Forgets it: it is done, cancelled or gone. */
export function forget(file, classroom) {
  const known = read();
  delete known[nameOf(file, classroom)];
  write(known);
}

function nameOf(file, classroom) {
  return JSON.stringify([file.name, file.size, file.lastModified, classroom]);
}

function read() {
  try {
    const entries = Object.entries(JSON.parse(localStorage.getItem(KEY)) ?? {});
    return Object.fromEntries(entries.filter(([, { at }]) => Date.now() - at < KEPT_MS));
  } catch {
    return {}; // storage is off, or somebody else wrote there
  }
}

function write(known) {
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // Storage is off or full: the upload goes on, a reload begins anew.
  }
}
