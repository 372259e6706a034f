// Which key does what to a player.

const COMMANDS = {
  " ": "play",
  k: "play",
  j: "back",
  l: "forward",
  ArrowLeft: "second-back",
  ArrowRight: "second-forward",
  ",": "frame-back",
  ".": "frame-forward",
  i: "loop-a",
  o: "loop-b",
  m: "mirror",
  "[": "slower",
  "]": "faster",
  "?": "keys",
};

/** The command of a keydown, or null: when it is someone else's (typing, a menu, a shortcut of the browser). */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  const at = event.target;
  if (at.closest("textarea, select, dialog, input:not([type=range])")) return null;
  if (event.key === " " && at.closest("button, a, summary")) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return COMMANDS[key] ?? null;
}

/** The command of a keydown outside the player, or null; there buttons, links, other videos, and an open dialog keep their keys. */
export function commandElsewhere(event) {
  if (event.target.closest("button, a, summary, input, video, [contenteditable]")) return null;
  return document.querySelector("dialog:modal") ? null : commandOf(event);
}
