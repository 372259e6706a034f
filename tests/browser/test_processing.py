"""A video that not every browser plays is prepared while its page is open; the timeline then shows its pictures."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.media.clips import write_clip
from tests.browser.conftest import DESKTOP, Visit
from tests.browser.test_journey import MEASURE, open_exercise, save_exercise

pytestmark = pytest.mark.browser


def test_a_webm_is_prepared_while_its_page_is_open_and_then_plays_as_mp4(visit: Visit, tmp_path: Path) -> None:
    film = write_clip(tmp_path / "film.webm", seconds=3, video_codec="libvpx-vp9", audio_codec="libopus")
    ada = visit("ada", viewport=DESKTOP)
    save_exercise(ada, "Slow turn", film)
    ada.get_by_label("Your comment").fill("Half a word")
    ada.get_by_role("link", name="Show it").click(timeout=30_000)
    expect(ada.locator("video-preparation")).to_have_count(0)
    assert ada.locator("video").evaluate(MEASURE) == [320, 180, pytest.approx(3, abs=0.1)]
    answer = ada.request.get(ada.locator("video").evaluate("(video) => video.currentSrc"))
    assert answer.headers["content-type"] == "video/mp4"


def test_the_timeline_shows_the_picture_of_the_moment_under_the_mouse(visit: Visit, tmp_path: Path) -> None:
    ada = visit("ada", viewport=DESKTOP)
    save_exercise(ada, "Quick turn", write_clip(tmp_path / "film.mp4", seconds=4))
    address = ada.locator("video").get_attribute("data-thumbnails")
    while ada.request.get(address or "").status != 200:
        ada.wait_for_timeout(100)
    open_exercise(ada, "Quick turn")
    ada.locator(".timeline__slider").hover()
    preview = ada.locator(".timeline__preview")
    expect(preview).to_be_visible()
    expect(preview).to_contain_text("0:0")
    shown = preview.locator(".timeline__tile").evaluate("(tile) => getComputedStyle(tile).backgroundImage")
    assert "thumbnails.jpg" in shown
