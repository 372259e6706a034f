// What this tab remembers from page to page, as JSON; without storage it remembers nothing.

/** The value kept under `name`, or null. */
export function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null; // storage is off, or somebody else wrote there
  }
}

/** Keeps `value` under `name`, or forgets what is there when it is null. */
export function store(name, value) {
  try {
    if (value) sessionStorage.setItem(name, JSON.stringify(value));
    else sessionStorage.removeItem(name);
  } catch {
    // Storage is off or full: what was to be kept lives as long as the page.
  }
}
