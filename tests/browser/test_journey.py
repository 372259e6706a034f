"""Ada publishes, Ben practises and sends, Ada answers at a moment, Ben looks there: with scripts and without."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.media.clips import write_clip
from tests import videos
from tests.browser.conftest import DESKTOP, Visit

pytestmark = pytest.mark.browser

# Resolves once the browser shows the frame of that moment; fails with the player's own message.
SEEK = """(video, seconds) => new Promise((done, fail) => {
  video.onerror = () => fail(new Error(video.error.message));
  video.onseeked = () => done(video.currentTime);
  video.currentTime = seconds;
})"""
MEASURE = """(video) => new Promise((done, fail) => {
  const tell = () => done([video.videoWidth, video.videoHeight, video.duration]);
  video.onerror = () => fail(new Error(video.error.message));
  video.onloadedmetadata = tell;
  if (video.readyState > 0) tell();
})"""
PLAYED_PAST = """(video, seconds) => new Promise((done) => {
  const look = () => video.currentTime > seconds && done(video.readyState);
  video.addEventListener("timeupdate", look);
  look();
})"""
OUTLINE_IS_WHOLE = """(item) => {
  const [box, view] = [item, item.closest("ol")].map((one) => one.getBoundingClientRect());
  const style = getComputedStyle(item);
  const width = style.outlineStyle === "none" ? NaN : parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
  return box.left - width >= view.left && box.top - width >= view.top && box.bottom + width <= view.bottom;
}"""
AT_REST = """(video) => new Promise((done) => {
  const tell = () => video.paused && !video.seeking && done(video.currentTime);
  video.addEventListener("seeked", tell);
  tell();
})"""


def save_exercise(page: Page, name: str, video: Path) -> None:
    page.goto("/exercises/create/")
    page.get_by_label("Choose a video").set_input_files(video)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=30_000)  # once it is sent and checked


def publish(page: Page) -> None:
    page.get_by_role("button", name="Publish to the class").click()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()


def open_exercise(page: Page, name: str) -> None:
    page.goto("/exercises/")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state()  # the page's modules run before that


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()


def open_from_queue(page: Page, name: str) -> None:
    page.goto("/queue/")
    page.get_by_role("listitem").filter(has_text=name).get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Ben, attempt 1"))


def player(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True).and_(page.locator("video"))


@pytest.mark.parametrize(
    ("make", "width_px", "height_px", "duration_s"),
    [
        (videos.phone_mp4, 320, 180, 2),
        (videos.rotated_mov, 180, 320, 2),
        (videos.vp9_webm, 320, 180, 2),
        (videos.silent_mp4, 320, 180, 1),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_published_video_plays_upright_and_seeks(
    visit: Visit, tmp_path: Path, make: Callable[[Path], Path], width_px: int, height_px: int, duration_s: int
) -> None:
    ada, ben = visit("ada", viewport=DESKTOP), visit("ben")
    save_exercise(ada, make.__name__, make(tmp_path))
    publish(ada)
    open_exercise(ben, make.__name__)
    video = ben.locator("video").first
    measured = video.evaluate(MEASURE)
    assert measured == [width_px, height_px, pytest.approx(duration_s, abs=0.1)]
    ben.get_by_role("button", name="Play").click()
    assert video.evaluate(PLAYED_PAST, 0.1) >= 2
    ben.get_by_role("button", name="Pause").click()
    assert video.evaluate(SEEK, duration_s - 0.3) == pytest.approx(duration_s - 0.3, abs=0.001)


def test_an_attempt_is_answered_at_a_moment_and_the_learner_is_taken_there(visit: Visit, tmp_path: Path) -> None:
    ada, ben = visit("ada", viewport=DESKTOP), visit("ben")
    save_exercise(ada, "Turn and stop", write_clip(tmp_path / "turn.mp4"))
    publish(ada)

    open_exercise(ben, "Turn and stop")
    ben.get_by_label("Choose a video").first.set_input_files(write_clip(tmp_path / "try.mp4", seconds=3))
    expect(ben.get_by_role("heading", level=1)).to_have_text("My attempt 1")
    submit(ben)

    open_from_queue(ada, "Turn and stop")
    player(ada, "Ben").evaluate(SEEK, 1.25)
    expect(ada.get_by_label("at 0:01.2")).to_be_checked()
    ada.get_by_label("Your comment").fill("You stop late here.")
    ada.get_by_role("button", name="Comment").click()
    expect(ada.get_by_text("You stop late here.")).to_be_visible()
    address = ada.url.partition("#")[0]
    ada.get_by_label("Your comment").fill("And look up.")
    ada.get_by_role("button", name="Redo").click()
    expect(ada.get_by_text("Ben has your answer")).to_be_visible()
    ada.goto(address)
    expect(ada.get_by_text("And look up.", exact=True)).to_be_visible()
    expect(ada.get_by_label("Your comment")).to_have_value("")

    open_exercise(ben, "Turn and stop")
    ben.get_by_role("link", name="Attempt 1").click()
    expect(ben.get_by_text("asks for another try")).to_be_visible()
    ben.get_by_role("link", name="Go to 0:01.2").click()
    assert player(ben, "My attempt").evaluate(AT_REST) == pytest.approx(1.25, abs=0.001)

    open_exercise(ben, "Turn and stop")
    ben.get_by_label("Choose a video").first.set_input_files(tmp_path / "try.mp4")
    expect(ben.get_by_role("heading", level=1)).to_have_text("My attempt 2")
    current = ben.get_by_role("link", name="Attempt 2").locator(".peek")
    assert current.evaluate(OUTLINE_IS_WHOLE)


def test_without_scripts_plain_forms_carry_the_whole_journey(visit: Visit, tmp_path: Path) -> None:
    ada, ben = visit("ada", java_script_enabled=False), visit("ben", java_script_enabled=False)
    clip = write_clip(tmp_path / "plain.mp4", seconds=1)
    save_exercise(ada, "Plain steps", clip)
    publish(ada)

    open_exercise(ben, "Plain steps")
    ben.get_by_label("Choose a video").first.set_input_files(clip)
    ben.get_by_role("button", name="Send").first.click()
    submit(ben)

    open_from_queue(ada, "Plain steps")
    ada.get_by_label("Your comment").fill("Just right.")
    ada.get_by_role("button", name="Comment").click()
    expect(ada.get_by_text("Just right.")).to_be_visible()
    ada.get_by_role("button", name="Passed").click()

    open_exercise(ben, "Plain steps")
    ben.get_by_role("link", name="Attempt 1").click()
    expect(ben.get_by_text("Passed. Well done!")).to_be_visible()
    expect(ben.get_by_text("Just right.")).to_be_visible()
