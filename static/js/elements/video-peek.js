// <video-peek data-thumbnails="address of the map">: moving over a poster looks through its video.
import { Thumbnails } from "../lib/thumbnails.js";

export class VideoPeek extends HTMLElement {
  connectedCallback() {
    const thumbnails = new Thumbnails(this.dataset.thumbnails);
    const tile = document.createElement("span");
    tile.className = "peek__tile";
    tile.hidden = true;
    this.append(tile);
    this.addEventListener("pointermove", async (event) => {
      if (event.pointerType !== "mouse") return;
      const { left, width, height } = this.getBoundingClientRect();
      const shown = await thumbnails.show(tile, Math.min(Math.max((event.clientX - left) / width, 0), 0.999));
      if (!shown || !this.matches(":hover")) return;
      tile.hidden = false;
      tile.style.scale = String(Math.max(width / tile.offsetWidth, height / tile.offsetHeight));
    });
    this.addEventListener("pointerleave", () => (tile.hidden = true));
  }
}
