"""The thread in a browser: what people write stays in its place, is not lost, and leads to its moment."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, send_after_the_session_ended, send_with_an_old_token
from tests.browser.test_accessibility import found_on
from tests.browser.test_journey import MEASURE, open_exercise

pytestmark = pytest.mark.browser

EXERCISE = "Side steps in time"
LONG = "https://example.org/" + "w" * 4000


def test_a_long_word_widens_neither_the_thread_nor_the_pages_about_it(visit: Visit) -> None:
    page = visit("ben", viewport=PHONE)
    open_exercise(page, EXERCISE)
    page.get_by_label("Your comment").fill(LONG)
    page.get_by_role("button", name="Comment").click()
    page.get_by_text(LONG).wait_for()
    page.get_by_role("link", name="Reply to Ben").click()
    page.get_by_label("Your reply to Ben").fill("r" + LONG)
    page.get_by_role("button", name="Reply").click()
    page.get_by_text("r" + LONG).wait_for()
    assert is_as_wide_as_its_window(page)
    for name, title in (("Delete the comment of Ben", "Delete this comment?"), ("Edit the comment of Ben", "Edit")):
        page.get_by_role("link", name=name).last.click()
        page.get_by_role("heading", name=title).wait_for()
        assert is_as_wide_as_its_window(page)
        page.go_back()


def is_as_wide_as_its_window(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_address_of_a_moment_opens_the_video_at_it(visit: Visit, scripts: bool) -> None:
    page = visit("ben", viewport=DESKTOP, java_script_enabled=scripts)
    open_exercise(page, "Arms on eight counts")
    chip = page.locator(".time-chip").first
    seconds = int(chip.get_attribute("data-at-ms")) / 1000
    page.goto(chip.get_attribute("href"))
    video = page.locator("video")
    assert video.evaluate(MEASURE)[0] > 0
    assert video.evaluate("(video) => [video.currentTime, video.error]") == [seconds, None]


def test_a_video_is_downloaded_as_a_file(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    link = page.locator("video a[download]")
    with page.expect_download() as download:
        link.dispatch_event("click")
    assert download.value.path().stat().st_size > 10_000
    assert download.value.suggested_filename.endswith(".mp4")


def test_words_in_progress_are_there_again_with_their_moment_until_they_are_sent(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, "Arms on eight counts")
    page.locator(".time-chip").first.click()
    composer, moment = page.get_by_label("Your comment"), page.locator("[data-part=at]")
    composer.fill("Half a sentence")
    at_ms = moment.input_value()
    page.get_by_role("link", name="Reply to Ada").first.click()
    page.get_by_label("Your reply to Ada").fill("A whole reply")
    page.get_by_role("button", name="Send reply").click()
    page.locator(".comment__replies").get_by_text("A whole reply", exact=True).wait_for()
    expect(composer).to_have_value("Half a sentence")
    assert int(at_ms) > 0
    expect(moment).to_have_value(at_ms)
    page.get_by_role("link", name="Reply to Ada").first.click()
    expect(page.get_by_label("Your reply to Ada")).to_have_value("")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_text("Half a sentence", exact=True).wait_for()
    expect(composer).to_have_value("")


def test_words_sent_after_the_session_ended_are_there_again_after_the_log_in(visit: Visit) -> None:
    page = visit("ben", viewport=PHONE)
    open_exercise(page, EXERCISE)
    address = page.url
    page.get_by_label("Your comment").fill("Not to be lost")
    send_after_the_session_ended(page, "ben", "Comment")
    page.wait_for_url(address)
    expect(page.get_by_label("Your comment")).to_have_value("Not to be lost")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_text("Not to be lost", exact=True).wait_for()
    page.goto(address)
    expect(page.get_by_label("Your comment")).to_have_value("")


def test_words_that_were_refused_below_an_earlier_comment_are_there_again_after_a_reload(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP, meant=(403,))
    open_exercise(page, EXERCISE)
    composer = page.get_by_label("Your comment")
    composer.fill("The first of two")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.wait_for_url("**/#comment-*")
    address = page.url
    composer.fill("The second of two")
    send_with_an_old_token(page, "Comment")
    page.goto(address)
    expect(composer).to_have_value("The second of two")


def test_a_reply_sent_after_the_session_ended_stands_open_again_after_the_log_in(visit: Visit) -> None:
    page = visit("ben", viewport=PHONE)
    open_exercise(page, "Arms on eight counts")
    address = page.url
    page.get_by_role("link", name="Reply to Ada").first.click()
    reply = page.get_by_label("Your reply to Ada")
    reply.fill("An answer on the way")
    send_after_the_session_ended(page, "ben", "Send reply")
    page.wait_for_url(address)
    expect(reply).to_have_value("An answer on the way")
    expect(reply).to_be_focused()


def test_a_log_in_leads_back_to_a_comment_that_had_been_refused(visit: Visit) -> None:
    page = visit("ben", viewport=PHONE, meant=(422,))
    open_exercise(page, EXERCISE)
    composer = page.get_by_label("Your comment")
    composer.evaluate("(field) => field.removeAttribute('maxlength')")
    composer.fill("long " * 1100)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your comment was not sent")
    composer.fill("Shorter")
    send_after_the_session_ended(page, "ben", "Comment")
    expect(composer).to_have_value("Shorter")
    assert found_on(page) == []
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_text("Shorter", exact=True).wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text(EXERCISE)
    expect(composer).to_have_value("")
