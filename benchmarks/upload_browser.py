"""Measures uploads from a real browser on a long line, against a bare PUT of the same file over the same line.

    PYTHONPATH=. python benchmarks/upload_browser.py --mebibytes 200 --rounds 3

The line is tests/faults/proxy.py, 50 ms long in each direction: once with 100 Mbit/s, once with no limit of its own.
Ours is timed from the choice of the file to the answer of its completion (sent, durable, a video that waits to be
checked); the bare one is one `fetch` of the whole file to nginx, which keeps it and waits for no disk: the least that
one connection takes. Prints medians of interleaved rounds and their ratio; ends with 0 when 200 MiB took at most 18 s
and 3 s.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from servers import MEBIBYTE
from upload_limits import nginx
from videos import real_video

from tests.faults.proxy import Line
from tests.faults.site import Site

DELAY_S = 0.05
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "chromium"
NOTE_THE_CHOICE = "addEventListener('change', () => (window.began = performance.now()), { capture: true, once: true })"
COMPLETED_MS = """() => {
  const completion = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/completion/"));
  return completion?.responseEnd && completion.responseEnd - window.began;
}"""
BARE_PUT = """async (input) => {
  const began = performance.now();
  const answer = await fetch("/bare", { method: "PUT", body: input.files[0] });
  if (!answer.ok) throw new Error(answer.status);
  return performance.now() - began;
}"""


@dataclass(frozen=True)
class Case:
    """A line by its name, how much it carries, and how long 200 MiB may take on it."""

    name: str
    bytes_per_s: float | None
    goal_s: float


CASES = (Case("100 ms, 100 Mbit/s", 12_500_000, 18), Case("100 ms, no limit", None, 3))


def seconds_of_ours(page: Page, site: Site, video: Path) -> float:
    """Upload the video as a person does; return the seconds until its completion was answered."""
    page.goto("/exercises/create/")
    page.get_by_label("Choose a video").set_input_files(video)
    milliseconds = page.wait_for_function(COMPLETED_MS, polling=100).json_value()
    page.evaluate("localStorage.clear()")  # else the next round would find this upload again
    page.goto("about:blank")
    shutil.rmtree(site.media / "videos")
    return milliseconds / 1000


def seconds_of_bare(page: Page, video: Path) -> float:
    """Send the video in one request; return the seconds until it was answered."""
    page.goto("/page.html")
    page.locator("input").set_input_files(video)
    return page.locator("input").evaluate(BARE_PUT) / 1000


def window(stack: ExitStack, chromium: Browser, address: str, session: str = "") -> Page:
    """Return a page of the site at that address."""
    context = stack.enter_context(chromium.new_context(base_url=address))
    context.set_default_timeout(180_000)
    context.add_init_script(NOTE_THE_CHOICE)
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())  # it warns that the video was not checked yet
    return page


def medians(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return each contestant's median over interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: 1 if number % 2 else -1]:
            seconds[name].append(contestants[name]())
    return {name: statistics.median(times) for name, times in seconds.items()}


def measure(folder: Path, mebibytes: int, rounds: int) -> bool:
    """Print the figures of both lines; return whether the goals hold."""
    video = real_video(folder / "video.mp4", mebibytes * MEBIBYTE)
    site = Site(folder, role="instructor")  # no worker: checking the video would take time from the next round
    site.prepare()
    holds = True
    with ExitStack() as stack:
        stack.callback(site.stop)
        site.start()
        port = stack.enter_context(nginx(folder)).port
        (folder / "files" / "page.html").write_text("<!doctype html><input type=file>")
        lines = [stack.enter_context(Line("127.0.0.1", number)) for number in (site.port, port)]
        playwright = stack.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        stack.callback(chromium.close)
        ours = window(stack, chromium, lines[0].address, site.session)
        bare = window(stack, chromium, lines[1].address)
        contestants = {
            "ours": lambda: seconds_of_ours(ours, site, video),
            "bare": lambda: seconds_of_bare(bare, video),
        }
        for case in CASES:
            for line in lines:
                line.slow(bytes_per_s=case.bytes_per_s, delay_s=DELAY_S)
            holds &= report(case, medians(contestants, rounds), mebibytes)
    return holds


def report(case: Case, seconds: dict[str, float], mebibytes: int) -> bool:
    """Print one line of figures; return whether the goal, which is for 200 MiB, holds."""
    limit = f" · the line alone {mebibytes * MEBIBYTE / case.bytes_per_s:.1f} s" if case.bytes_per_s else ""
    goal_s = case.goal_s * mebibytes / 200
    ratio = seconds["ours"] / seconds["bare"]
    print(f"{case.name}: ours {seconds['ours']:.2f} s (goal {goal_s:.1f}) · bare {seconds['bare']:.2f} s{limit}")
    print(f"  ours / bare {ratio:.2f}", flush=True)
    return seconds["ours"] <= goal_s


def main() -> int:
    """Measure and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(f"{options.mebibytes} MiB from Chromium, median of {options.rounds} rounds")
        return 0 if measure(Path(name), options.mebibytes, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
