"""Small things that pages owe a newcomer: keys without a click, one post a click, the truth about a video, room."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core.media.clips import write_clip
from tests.browser.conftest import DESKTOP, PHONE, Visit, log_in, send_after_the_session_ended, send_with_an_old_token
from tests.browser.program import WHOLE, chromium_program
from tests.browser.test_accessibility import found_on
from tests.browser.test_journey import AT_REST, open_exercise, open_from_queue

pytestmark = pytest.mark.browser

EXERCISE = "Arms on eight counts"


def is_paused(page: Page) -> bool:
    return page.locator("video").first.evaluate("(video) => video.paused")


def test_keys_work_on_a_page_with_one_player_before_anything_is_focused(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    pressed = page.get_by_role("button", name="Mirror")
    page.keyboard.press("m")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    assert page.locator("video").first.evaluate("(video) => video.currentTime") > 0
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("k")
    assert is_paused(page)
    assert "K" in page.get_by_role("button", name="Play").get_attribute("title")


def test_keys_are_left_to_whoever_types_and_to_other_buttons(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    page.get_by_label("Your comment").press_sequentially("mm k")
    expect(page.get_by_label("Your comment")).to_have_value("mm k")
    page.get_by_role("button", name="Comment").focus()
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Mirror")).to_have_attribute("aria-pressed", "false")
    assert is_paused(page)


def test_a_page_that_is_opened_with_a_loop_begins_at_its_start(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    page.goto(page.url + "?loop=0.8-1.6")
    video = page.locator("video").first
    assert video.evaluate("(video) => video.readyState > 0 || new Promise((done) => video.onloadedmetadata = done)")
    assert video.evaluate(AT_REST) == pytest.approx(0.8, abs=0.01)
    expect(page.locator("[data-part=now]").first).to_have_text("0:00.8")


def test_a_double_click_writes_one_comment(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    page.get_by_label("Your comment").fill("Once, please")
    page.get_by_role("button", name="Comment").dblclick()
    expect(page.get_by_text("Once, please", exact=True)).to_have_count(1)


def test_a_reply_is_written_by_keys_below_its_comment_and_kept_while_its_form_is_closed(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    comment = page.locator(".comments > .comment").first
    link = comment.get_by_role("link", name="Reply to Ada")
    link.press("Enter")
    expect(comment.get_by_label("Your reply to Ada")).to_be_focused()
    page.keyboard.type("By keys")
    for close in (link, comment.get_by_role("button", name="Cancel"), comment.get_by_label("Your reply to Ada")):
        close.press("Escape" if close.get_attribute("name") == "text" else "Enter")
        expect(link).to_have_attribute("aria-expanded", "false")
        expect(link).to_be_focused()
        expect(comment.get_by_label("Your reply to Ada")).to_be_hidden()
        link.press("Enter")
    assert found_on(page) == []
    comment.get_by_role("button", name="Reply").press("Enter")
    expect(comment.locator(".comment__replies").get_by_text("By keys", exact=True)).to_be_visible()
    assert page.evaluate("location.hash").startswith("#comment-")


def test_a_reply_is_written_without_scripts(visit: Visit) -> None:
    page = visit("ben", viewport=PHONE, java_script_enabled=False)
    open_exercise(page, EXERCISE)
    page.get_by_role("link", name="Reply to Ada").first.click()
    page.get_by_label("Your reply to Ada").fill("Without scripts")
    page.get_by_role("button", name="Reply").click()
    expect(page.locator(".comment__replies").get_by_text("Without scripts", exact=True)).to_be_visible()


def test_a_double_click_on_save_makes_one_draft(visit: Visit, tmp_path: Path) -> None:
    page = visit("ada", viewport=DESKTOP)
    page.goto("/exercises/create/")
    page.get_by_label("Choose a video").set_input_files(write_clip(tmp_path / "twice.mp4"))
    page.get_by_label("Name").fill("Saved by two clicks")
    page.get_by_role("button", name="Save as a draft").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Saved by two clicks")
    page.goto("/exercises/")
    expect(page.get_by_role("link", name="Saved by two clicks")).to_have_count(1)


def test_a_form_without_a_script_of_its_own_is_posted_once_and_is_there_again_on_the_way_back(visit: Visit) -> None:
    page = visit("ben", viewport=DESKTOP)
    posts = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.goto("/accounts/profile/")
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert len(posts) == 1
    page.go_back()
    expect(page.get_by_role("button", name="Save")).to_be_enabled()


@pytest.mark.parametrize(
    ("status", "said"), [(404, "not there for you any more"), (409, "still being prepared"), (200, "cannot play")]
)
def test_a_video_that_does_not_play_says_why_and_offers_the_page_again(
    site: str, chromium: Browser, signed_in, status: int, said: str
) -> None:
    page = chromium.new_page(base_url=site, storage_state=signed_in("ben"), viewport=DESKTOP)
    page.context.route("**/stream/**", lambda route: route.fulfill(status=status, body="no video"))
    open_exercise(page, EXERCISE)
    problem = page.get_by_role("alert")
    expect(problem.get_by_text(re.compile(said))).to_be_visible()
    shown = [words for words in problem.locator("[data-reason]").all() if words.is_visible()]
    assert len(shown) == 1
    page.context.unroute("**/stream/**")
    problem.get_by_role("button", name="Load the page again").click()
    expect(page.get_by_role("group", name="Practice tools")).to_be_visible()
    page.close()


def test_a_file_that_is_no_video_leads_to_another_one(visit: Visit, tmp_path: Path) -> None:
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(b"no video at all" * 1000)
    page = visit("ben", viewport=DESKTOP)
    open_exercise(page, "Side steps in time")
    page.get_by_label("Choose a video").first.set_input_files(fake)
    other = page.get_by_role("button", name="Choose another")
    expect(other).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    expect(page.get_by_text("What you typed is kept.")).to_be_hidden()
    bold, page_ink = other.evaluate("(b) => [b, document.body].map((one) => getComputedStyle(one).color)")
    assert bold != page_ink


def test_unpublishing_what_was_answered_is_asked_about_first(visit: Visit) -> None:
    page = visit("ada", viewport=DESKTOP)
    open_exercise(page, EXERCISE)
    expect(page.get_by_role("button", name="Unpublish it")).to_be_hidden()
    page.get_by_text("Unpublish", exact=True).click()
    expect(page.get_by_role("button", name="Unpublish it")).to_be_visible()
    expect(page.get_by_role("link", name="Archive")).to_be_visible()


def test_a_reviewer_on_a_phone_sees_the_learner_first_and_no_button_covers_the_thread(visit: Visit) -> None:
    page = visit("ada", viewport=PHONE)
    open_from_queue(page, EXERCISE)
    top = {label: page.locator(f"video[aria-label='{label}']").bounding_box()["y"] for label in ("Ben", "Exercise")}
    assert top["Ben"] < top["Exercise"]
    assert page.locator(".verdict").evaluate("(verdict) => getComputedStyle(verdict).position") == "static"
    page.set_viewport_size(DESKTOP)
    left = {label: page.locator(f"video[aria-label='{label}']").bounding_box() for label in ("Ben", "Exercise")}
    assert left["Exercise"]["x"] < left["Ben"]["x"]
    for name, picture in left.items():
        label = page.locator(".player__label", has_text=name).bounding_box()
        assert label["y"] + label["height"] <= picture["y"] + 1


@pytest.mark.parametrize("width", [800, 1280])
def test_a_portrait_video_stands_in_no_wide_black_box(visit: Visit, width: int) -> None:
    page = visit("ada", viewport={"width": width, "height": 800})
    open_exercise(page, EXERCISE)
    video = page.locator("practice-player video")
    box, shape = video.bounding_box(), video.evaluate("(video) => video.width / video.height")
    assert shape < 1
    assert box["width"] <= 2 * box["height"] * shape


def test_a_link_below_a_field_or_in_a_notice_is_large_enough_for_a_finger(visit: Visit) -> None:
    nobody, ben = visit(), visit("ben")
    nobody.goto("/accounts/login/")
    open_exercise(ben, "Arms on eight counts")
    links = [nobody.get_by_role("link", name="Forgot your password?"), ben.get_by_role("link", name="To attempt 1")]
    assert [link.bounding_box()["height"] for link in links] == [44, 44]
    field, link = nobody.get_by_label("Password").bounding_box(), links[0].bounding_box()
    assert field["y"] + field["height"] <= link["y"]


@pytest.fixture(scope="module")
def remembering_browser(site: str, chromium: Browser) -> Iterator[Browser]:
    """A browser that keeps pages to go back to, as people's do; the headless shell never does."""
    program, kept = chromium_program(WHOLE), ["--disable-back-forward-cache"]
    browser = chromium.browser_type.launch(executable_path=program, args=["--no-sandbox"], ignore_default_args=kept)
    page = browser.new_page(base_url=site)
    log_in(page, "ben")
    page.evaluate("addEventListener('pageshow', ({ persisted }) => (document.title = persisted ? 'kept' : 'new'))")
    page.goto("/exercises/")
    page.go_back(wait_until="commit")
    page.wait_for_function("document.title === 'kept'")
    yield browser
    browser.close()


@pytest.fixture
def remembering(site: str, remembering_browser: Browser) -> Iterator[Page]:
    """A page of it, for nobody yet."""
    with remembering_browser.new_context(base_url=site) as context:
        yield context.new_page()


def test_whoever_goes_back_after_a_log_out_meets_the_log_in_and_nobodys_page(remembering: Page) -> None:
    log_in(remembering, "ben")
    open_exercise(remembering, EXERCISE)
    shown = remembering.url
    remembering.goto("/accounts/logout/")
    remembering.get_by_role("main").get_by_role("button", name="Log out").click()
    remembering.wait_for_url("/accounts/login/**")
    remembering.evaluate("history.go(-2)")
    remembering.wait_for_url(f"/accounts/login/?next={urlsplit(shown).path}")
    expect(remembering.get_by_text(EXERCISE)).to_have_count(0)


def test_whoever_goes_back_after_the_session_ended_meets_the_log_in(remembering: Page) -> None:
    log_in(remembering, "ben")
    open_exercise(remembering, EXERCISE)
    shown = remembering.url
    remembering.goto("/accounts/profile/")
    remembering.context.clear_cookies(name="sessionid")
    remembering.go_back(wait_until="commit")
    remembering.wait_for_url(f"/accounts/login/?next={urlsplit(shown).path}")


def test_words_that_were_refused_are_kept_past_the_way_back_and_another_comment(remembering: Page) -> None:
    log_in(remembering, "ben")
    open_exercise(remembering, EXERCISE)
    address, composer = remembering.url, remembering.get_by_label("Your comment")
    composer.fill("Refused and gone back from")
    send_with_an_old_token(remembering, "Comment")
    remembering.go_back(wait_until="commit")
    expect(composer).to_have_value("Refused and gone back from")
    remembering.goto("/exercises/")
    remembering.goto(f"{address}#comment-of-somebody-else")
    expect(composer).to_have_value("Refused and gone back from")


def test_whoever_goes_back_after_a_video_meets_a_page_that_takes_another(remembering: Page, tmp_path: Path) -> None:
    log_in(remembering, "ada")
    remembering.goto("/exercises/create/")
    remembering.get_by_label("Choose a video").set_input_files(write_clip(tmp_path / "once.mp4"))
    remembering.get_by_label("Name").fill("Left and come back from")
    remembering.get_by_role("button", name="Save as a draft").click()
    expect(remembering.get_by_role("heading", level=1)).to_have_text("Left and come back from")
    remembering.go_back(wait_until="commit")
    expect(remembering.locator("[data-part=chosen]")).to_be_visible()
    expect(remembering.get_by_text("Saving…")).to_have_count(0)


def test_a_form_that_met_a_session_that_ended_is_filled_in_again_after_the_log_in(visit: Visit) -> None:
    page = visit("ada", viewport=PHONE)
    open_exercise(page, EXERCISE)
    page.get_by_role("link", name="Edit", exact=True).click()
    words, again = page.get_by_label("What to practise"), page.get_by_text("What you typed is here again.")
    before, address = words.input_value(), page.url
    words.fill("Slower than before")
    page.get_by_label("Who sees submitted attempts").select_option(index=1)
    chosen = page.get_by_label("Who sees submitted attempts").input_value()
    send_after_the_session_ended(page, "ada", "Save")
    page.wait_for_url(address)
    expect(words).to_have_value("Slower than before")
    expect(page.get_by_label("Who sees submitted attempts")).to_have_value(chosen)
    expect(again).to_be_visible()
    assert found_on(page) == []
    page.goto(address)
    expect(words).to_have_value(before)
    expect(again).to_be_hidden()


def test_a_form_with_an_old_token_is_filled_in_again_after_a_reload(visit: Visit) -> None:
    page = visit("ada", viewport=DESKTOP, meant=(403,))
    open_exercise(page, EXERCISE)
    page.get_by_role("link", name="Edit", exact=True).click()
    address = page.url
    page.get_by_label("What to practise").fill("Slower than before")
    send_with_an_old_token(page, "Save")
    page.get_by_role("link", name="Back to Practika").click()
    page.wait_for_url("/")
    page.goto(address)
    expect(page.get_by_label("What to practise")).to_have_value("Slower than before")
