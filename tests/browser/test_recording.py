"""Filming in the page: what was recorded is sent while it is recorded, and outlives the tab."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from core.media.clips import write_clip
from tests.browser.conftest import DESKTOP, Visit
from tests.browser.test_accessibility import found_on
from tests.browser.test_journey import MEASURE, SEEK, open_exercise, player, publish, save_exercise

pytestmark = pytest.mark.browser

MOST_MS = 1000  # where a core is free; the worker has to check the recording in that time
STOP_AND_USE = """async () => {
  const press = (command) => document.querySelector(`video-recorder [data-command=${command}]`).click();
  const began = performance.now();
  press("stop");
  while (document.querySelector("video-recorder").dataset.state !== "review") await new Promise(requestAnimationFrame);
  sessionStorage.setItem("began", performance.timeOrigin + began);
  setTimeout(() => press("use"));
}"""

# Whether nothing is prepared any more. A page whose video has just been checked loads itself anew.
PREPARED = """() => [...document.querySelectorAll("video-preparation")].every(
  (one) => one.dataset.kind !== "verify" && one.dataset.state === "done")"""


@pytest.fixture
def exercise(visit: Visit, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The name of a published exercise that nobody has tried."""
    ada, name = visit("ada", viewport=DESKTOP), request.node.name[5:40]
    save_exercise(ada, name, write_clip(tmp_path / "reference.mp4", seconds=1))
    publish(ada)
    return name


def record(page: Page, seconds: int) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("[data-part=clock]")).to_have_text(f"0:{seconds:02}", timeout=20_000)


def assert_seeks(page: Page, seconds: float) -> None:
    """Check that the attempt's page shows a video that knows its length and goes to any moment of it."""
    expect(page.get_by_role("heading", level=1)).to_have_text("My attempt 1")
    page.wait_for_function(PREPARED, timeout=30_000)
    if page.get_by_role("link", name="Show it").count():
        page.get_by_role("link", name="Show it").click()
    video = player(page, "My attempt")
    _, _, duration_s = video.evaluate(MEASURE)
    assert duration_s == pytest.approx(seconds, abs=1.5)
    assert video.evaluate(SEEK, duration_s / 2) == pytest.approx(duration_s / 2, abs=0.01)


def test_a_recording_is_an_attempt_within_a_second_of_stopping_and_seeks(visit: Visit, exercise: str) -> None:
    ben = visit("ben")
    open_exercise(ben, exercise)
    record(ben, seconds=4)
    with ben.expect_response(lambda answer: answer.request.method == "POST" and "/attempts/" in answer.url) as posted:
        ben.evaluate(STOP_AND_USE)
    assert posted.value.status == 201
    timing = posted.value.request.timing
    expect(ben.get_by_role("heading", level=1)).to_have_text("My attempt 1")
    began_ms = float(ben.evaluate("sessionStorage.getItem('began')"))
    took_ms = timing["startTime"] + timing["responseStart"] - began_ms
    assert took_ms < MOST_MS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert_seeks(ben, 4)


def test_a_take_is_looked_at_and_recorded_again_with_a_pause(visit: Visit, exercise: str) -> None:
    ben = visit("ben")
    open_exercise(ben, exercise)
    record(ben, seconds=1)
    found = found_on(ben)
    ben.get_by_role("button", name="Stop recording").click()
    expect(ben.get_by_label("Your recording")).to_be_visible()
    found += found_on(ben)
    ben.get_by_role("button", name="Record again").click()
    assert found + found_on(ben) == []
    ben.get_by_role("button", name="Start recording").click()
    expect(ben.locator("[data-part=clock]")).to_have_text("0:02", timeout=20_000)
    ben.get_by_role("button", name="Pause").click()
    ben.wait_for_timeout(3000)
    ben.get_by_role("button", name="Go on").click()
    expect(ben.locator("[data-part=clock]")).to_have_text(re.compile("0:0[3-9]"))
    ben.get_by_role("button", name="Stop recording").click()
    recorded = ben.locator("[data-part=clock]").inner_text()
    ben.get_by_role("button", name="Use this video").click()
    assert_seeks(ben, int(recorded.removeprefix("0:")))


def test_a_crashed_tab_offers_to_finish_the_recording(visit: Visit, exercise: str) -> None:
    ben = visit("ben")
    open_exercise(ben, exercise)
    address = ben.url
    record(ben, seconds=5)
    with pytest.raises(Error):
        ben.goto("chrome://crash")
    again = ben.context.new_page()
    again.goto(address)
    expect(again.get_by_role("button", name="Finish it")).to_be_visible(timeout=20_000)
    again.get_by_role("button", name="Finish it").click()
    assert_seeks(again, 5 - 0.7)


def test_a_recording_that_is_alive_in_another_tab_is_not_offered(visit: Visit, exercise: str) -> None:
    ben = visit("ben")
    open_exercise(ben, exercise)
    record(ben, seconds=2)
    other = ben.context.new_page()
    other.goto(ben.url)
    expect(other.get_by_role("button", name="Record", exact=True)).to_be_visible()
    other.wait_for_load_state("networkidle")
    expect(other.get_by_role("button", name="Finish it")).to_have_count(0)
    ben.get_by_role("button", name="Stop recording").click()
    ben.get_by_role("button", name="Use this video").click()
    expect(ben.get_by_role("heading", level=1)).to_have_text("My attempt 1")
