"""What tests read off the page that records: a slow machine may paint its clock less than once a second."""

from playwright.sync_api import Page

CLOCK_S = """() => {
  const [minutes, seconds] = document.querySelector("[data-part=clock]").textContent.split(":").map(Number);
  return 60 * minutes + seconds;
}"""
# The same once a step that was just taken has been painted.
PAINTED_S = f"""async () => {{
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  return ({CLOCK_S})();
}}"""


def recorded_s(page: Page) -> int:
    """Return the whole seconds that the clock shows."""
    return page.evaluate(PAINTED_S)


def expect_recorded(page: Page, at_least_s: int, timeout_ms: float = 20_000) -> None:
    """Wait until the clock shows at least so many seconds."""
    page.wait_for_function(f"(least) => ({CLOCK_S})() >= least", arg=at_least_s, timeout=timeout_ms)
