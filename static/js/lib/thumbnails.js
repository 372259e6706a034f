// The thumbnails of one video: a picture of many tiles, and a WebVTT map that says which tile is when.
const CUE = /([\d:.]+) --> ([\d:.]+)[^\n]*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;

const seconds = (clock) => clock.split(":").reduce((total, part) => total * 60 + Number(part), 0);

export class Thumbnails {
  #url;
  #tiles;

  /** @param url the address of the map */
  constructor(url) {
    this.#url = url;
  }

  /** Shows on `element` the tile of a moment; `share` is that moment as a part of the whole, 0 to 1. False without tiles. */
  async show(element, share) {
    this.#tiles ??= this.#load();
    const tiles = await this.#tiles;
    if (!tiles.length) return false;
    const at = share * tiles.at(-1).end;
    const { source, x, y, width, height } = tiles.find(({ end }) => at < end) ?? tiles.at(-1);
    element.style.inlineSize = `${width}px`;
    element.style.blockSize = `${height}px`;
    element.style.background = `url("${source}") -${x}px -${y}px`;
    return true;
  }

  async #load() {
    try {
      const response = await fetch(this.#url);
      if (!response.ok) return []; // not made yet
      return [...(await response.text()).matchAll(CUE)].map(([, , end, source, ...box]) => {
        const [x, y, width, height] = box.map(Number);
        return { end: seconds(end), source: new URL(source, new URL(this.#url, location.href)).href, x, y, width, height };
      });
    } catch {
      return [];
    }
  }
}
