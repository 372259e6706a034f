"""The camera in the page: by keyboard alone, and taken away."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESKTOP, Visit
from tests.browser.recording import expect_recorded

pytestmark = pytest.mark.browser

READY = "Sent. Your video is ready."
SHOWN = "(video) => video.srcObject.getVideoTracks()[0].getSettings().deviceId"
LOST = "The camera has stopped. What was recorded until then is here."


@pytest.fixture
def ada(visit: Visit) -> Iterator[Page]:
    """The page on which Ada makes an exercise."""
    page = visit("ada", viewport=DESKTOP)
    page.goto("/exercises/create/")
    return page


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def take_camera_away(browser: Browser, page: Page) -> None:
    """Forbid the camera in the settings of the browser, as people do; the next question allows it again."""
    context = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    where = {"origin": page.evaluate("location.origin"), "browserContextId": context}
    settings = browser.new_browser_cdp_session()
    settings.send("Browser.setPermission", {"permission": {"name": "camera"}, "setting": "denied", **where})


def test_a_recording_is_made_by_the_keyboard_alone(ada: Page) -> None:
    button(ada, "Record").press("Enter")
    expect(button(ada, "Start recording")).to_be_focused()
    ada.keyboard.press("Escape")
    expect(button(ada, "Record")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(button(ada, "Start recording")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator("[data-part=count]")).to_be_visible()
    ada.keyboard.press("Escape")
    expect(button(ada, "Start recording")).to_be_focused()
    ada.keyboard.press("Enter")
    expect_recorded(ada, at_least_s=1)
    expect(button(ada, "Stop recording")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(button(ada, "Use this video")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("group", name="Your video")).to_be_focused()
    expect(ada.locator("[data-part=figures]")).to_have_text(READY)


def test_another_camera_is_chosen_by_its_name_or_by_flipping_and_the_focus_stays(ada: Page) -> None:
    button(ada, "Record").click()
    cameras = ada.locator("[data-part=camera]")
    expect(button(ada, "Start recording")).to_be_visible()
    first = cameras.input_value()
    button(ada, "Flip").press("Enter")
    expect(cameras).not_to_have_value(first)
    expect(button(ada, "Flip")).to_be_focused()
    cameras.select_option(first)
    expect(button(ada, "Start recording")).to_be_visible()
    assert ada.locator("[data-part=preview]").evaluate(SHOWN) == cameras.input_value() == first


def test_a_camera_taken_away_ends_the_recording_with_what_was_recorded(chromium: Browser, ada: Page) -> None:
    button(ada, "Record").click()
    button(ada, "Start recording").click()
    expect_recorded(ada, at_least_s=1)
    take_camera_away(chromium, ada)
    expect(ada.locator("[data-part=note]")).to_have_text(LOST)
    button(ada, "Record again").click()
    button(ada, "Start recording").click()
    expect_recorded(ada, at_least_s=1)
    button(ada, "Stop recording").click()
    button(ada, "Use this video").click()
    expect(ada.locator("[data-part=figures]")).to_have_text(READY)


def test_a_camera_taken_away_before_the_start_is_said_and_may_be_tried_again(chromium: Browser, ada: Page) -> None:
    button(ada, "Record").click()
    button(ada, "Start recording").click()
    expect(ada.locator("[data-part=count]")).to_be_visible()
    take_camera_away(chromium, ada)
    expect(ada.get_by_role("alert")).to_contain_text("The camera has stopped.")
    expect(button(ada, "Try again")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(button(ada, "Start recording")).to_be_focused()
