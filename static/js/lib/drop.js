// Dropping a file on the page.

/** Gives `onFile` a file that is dropped on `element`; `zone` shows with `data-over` that it may be let go there. */
export function takeDrops(element, zone, onFile) {
  const show = (is) => zone?.toggleAttribute("data-over", is);
  element.addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    show(true);
  });
  element.addEventListener("dragleave", (event) => element.contains(event.relatedTarget) || show(false));
  element.addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault(); // else the browser would open the file and leave the page
    show(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  });
}

/** Takes no file that is dropped elsewhere on `page`: the browser would open it, and what was typed would be gone. */
export function refuseOtherDrops(page) {
  for (const name of ["dragover", "drop"]) {
    page.addEventListener(name, (event) => {
      if (event.defaultPrevented || !bringsFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

function bringsFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}
