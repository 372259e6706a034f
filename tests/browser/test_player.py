"""The player's deck at its edges: the last frame, and a button that hides itself."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, Visit
from tests.browser.test_journey import AT_REST, SEEK, open_exercise

pytestmark = pytest.mark.browser


def test_from_the_end_a_frame_on_stays_and_a_frame_back_is_the_one_before_the_last(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, "Side steps in time")
    video, player = page.locator("practice-player video"), page.locator("practice-player")
    end = video.evaluate(SEEK, 1e6)
    rate = int(player.get_attribute("data-frame-rate-num")) / int(player.get_attribute("data-frame-rate-den"))
    page.get_by_role("button", name="One frame on").click()
    assert video.evaluate(AT_REST) == end
    page.get_by_role("button", name="One frame back").click()
    assert video.evaluate(AT_REST) == pytest.approx(end - 1.5 / rate, abs=0.3 / rate)


def test_the_button_that_ends_the_loop_hands_its_focus_on(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, "Side steps in time")
    page.get_by_role("button", name="Loop from here").click()
    page.get_by_role("button", name="No loop").press("Enter")
    expect(page.get_by_role("button", name="Loop from here")).to_be_focused()
