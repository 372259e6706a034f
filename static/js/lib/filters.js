// A row of filters scrolls on a phone; it opens at the chosen one, which may stand past its edge.

/** Shows the chosen filter in each row of `page`; the page itself stays where it is. */
export function showChosen(page) {
  for (const chip of page.querySelectorAll(".filter [aria-current]")) {
    const row = chip.closest(".filter");
    const [one, all] = [chip, row].map((element) => element.getBoundingClientRect());
    row.scrollLeft += one.x + one.width / 2 - (all.x + all.width / 2);
  }
}
