"""A chosen file arrives in parts: through reloads, broken lines, and pauses; nothing acknowledged is sent twice."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from core.media.clips import write_clip
from tests.browser.conftest import Visit, fill_entrance
from tests.browser.test_accessibility import found_on
from tests.browser.test_journey import MEASURE, open_exercise
from tests.faults.proxy import Line

pytestmark = pytest.mark.browser

MEBIBYTE = 1024 * 1024
PART_BYTES = 16 * MEBIBYTE
PATIENCE_MS = 30_000  # after a cut the next try may be some seconds away
OVERHEAD_BYTES = 300_000  # headers, the pages themselves
DROP = """async (element, [address, name]) => {
  const blob = await (await fetch(address)).blob();
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([blob], name, { type: "video/mp4" }));
  const options = { dataTransfer, bubbles: true, cancelable: true };
  return ["dragover", "drop"].map((type) => !element.dispatchEvent(new DragEvent(type, options))); // taken by the page?
}"""


@pytest.fixture
def line(site: str) -> Iterator[Line]:
    """The line to the site, whole and quick."""
    target = urlsplit(site)
    with Line(target.hostname or "", target.port or 0) as whole:
        yield whole


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video of two whole parts and a smaller one."""
    return write_large(tmp_path_factory.mktemp("large") / "large.mp4", 40_000_000)


def write_large(path: Path, size_bytes: int) -> Path:
    """Write a real video whose end is a box of free space, no mebibyte like another: a part out of place shows."""
    rest = size_bytes - write_clip(path).stat().st_size
    noise = os.urandom(MEBIBYTE - 8)
    with path.open("ab") as file:
        file.write(rest.to_bytes(4, "big") + b"free")
        for number in range(-(-rest // MEBIBYTE)):
            file.write(number.to_bytes(8, "big") + noise)
        file.truncate(size_bytes)
    return path


def choose(page: Page, video: Path) -> None:
    page.goto("/exercises/create/")
    page.get_by_label("Choose a video").set_input_files(video)


def save(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=PATIENCE_MS)
    assert page.locator("video").evaluate(MEASURE) == [320, 180, pytest.approx(2, abs=0.1)]


def wait_for_one_part(page: Page) -> None:
    expect(figures(page)).to_contain_text("16.8 MB of 40.0 MB")


def figures(page: Page):
    return page.locator("[data-part=figures]")


def leave(dialog: Dialog) -> None:
    dialog.accept()


def test_a_large_file_is_saved_with_its_form_whichever_is_ready_first(visit: Visit, large: Path) -> None:
    ada = visit("ada")
    choose(ada, large)
    save(ada, "Pressed while it is sent")
    choose(ada, large)
    expect(figures(ada)).to_have_text("Sent. Your video is ready.")
    assert found_on(ada) == []
    save(ada, "Pressed when all is sent")


def test_after_a_reload_the_same_file_goes_on_with_less_than_a_part_sent_again(
    visit: Visit, line: Line, large: Path
) -> None:
    ada = visit("ada", base_url=line.address)
    ada.on("dialog", leave)
    line.slow(bytes_per_s=12_000_000)
    choose(ada, large)
    wait_for_one_part(ada)
    ada.reload()
    line.slow(bytes_per_s=None)
    choose(ada, large)
    save(ada, "After a reload")
    assert line.sent_bytes < large.stat().st_size + PART_BYTES + OVERHEAD_BYTES


def test_a_link_refused_with_its_part_unread_is_replaced_by_a_fresh_one(visit: Visit, large: Path) -> None:
    ada = visit("ada")
    answers: list[int] = []
    ada.on("response", lambda answer: answer.request.method == "PUT" and answers.append(answer.status))
    ada.route("**/parts/", spoil_the_first, times=1)
    choose(ada, large)
    expect(figures(ada)).to_have_text("Sent. Your video is ready.", timeout=PATIENCE_MS)
    assert answers.count(403) == 1  # it heard the refusal, though it was still sending


def spoil_the_first(route: Route) -> None:
    """Give out a link that the storage refuses, as it does one that is too old."""
    answer = route.fetch()
    signed = answer.json()
    signed["parts"][0]["url"] += "x"
    route.fulfill(response=answer, json=signed)


def test_a_broken_line_is_waited_out_and_what_was_acknowledged_is_kept(visit: Visit, line: Line, large: Path) -> None:
    ada = visit("ada", base_url=line.address)
    line.slow(bytes_per_s=12_000_000)
    choose(ada, large)
    wait_for_one_part(ada)
    line.cut()
    expect(figures(ada)).to_contain_text("waiting for the connection")
    line.slow(bytes_per_s=None)
    line.mend()
    save(ada, "After a cut")
    assert line.sent_bytes < large.stat().st_size + PART_BYTES + OVERHEAD_BYTES


def test_pause_stops_sending_and_going_on_finishes(visit: Visit, line: Line, large: Path) -> None:
    ada = visit("ada", base_url=line.address)
    line.slow(bytes_per_s=5_000_000)
    choose(ada, large)
    expect(figures(ada)).to_contain_text("/s")
    ada.get_by_role("button", name="Pause").click()
    line.slow(bytes_per_s=None)
    with pytest.raises(AssertionError):
        expect(figures(ada)).to_contain_text("Sent", timeout=1000)
    ada.get_by_role("button", name="Go on").click()
    save(ada, "After a pause")


def test_cancel_throws_the_upload_away_and_another_file_can_be_chosen(
    visit: Visit, line: Line, large: Path, clip: Path
) -> None:
    ada = visit("ada", base_url=line.address)
    line.slow(bytes_per_s=5_000_000)
    choose(ada, large)
    expect(figures(ada)).to_contain_text("/s")
    with ada.expect_response(lambda answer: answer.request.method == "DELETE") as discarded:
        ada.get_by_role("button", name="Cancel").click()
    assert discarded.value.status == 204
    line.slow(bytes_per_s=None)
    ada.get_by_label("Choose a video").set_input_files(clip)
    expect(figures(ada)).to_have_text("Sent. Your video is ready.")


def test_a_dropped_file_is_sent(visit: Visit) -> None:
    ada = visit("ada")
    ada.goto("/exercises/")
    ada.get_by_role("link", name="Side steps in time").click()
    address = ada.locator("video").first.get_attribute("src")
    ada.goto("/exercises/create/")
    ada.locator(".drop").evaluate(DROP, [address, "dropped.mp4"])
    expect(ada.locator("[data-part=name]")).to_have_text("dropped.mp4")
    expect(figures(ada)).to_have_text("Sent. Your video is ready.")


def test_a_file_dropped_beside_its_place_leaves_the_page_as_it_is(visit: Visit) -> None:
    ada = visit("ada")
    ada.goto("/exercises/create/")
    assert ada.get_by_role("heading", level=1).evaluate(DROP, ["/static/favicon.svg", "dropped.mp4"]) == [True, True]
    expect(ada.get_by_role("group", name="Your video")).to_have_count(0)


def test_a_file_that_is_no_video_is_named_as_such_and_another_can_be_chosen(
    visit: Visit, tmp_path: Path, clip: Path
) -> None:
    ada = visit("ada")
    texts = [tmp_path / "notes.txt", tmp_path / "notes.mp4"]  # by its type, and by what is in it
    choose(ada, written(texts[0]))
    for following in (written(texts[1]), clip):
        expect(ada.get_by_role("alert")).to_contain_text("video")
        expect(ada.get_by_role("button", name="Choose another")).to_be_focused()
        expect(ada.get_by_role("button", name="Try again")).to_be_hidden()
        with ada.expect_file_chooser() as chooser:
            ada.get_by_role("button", name="Choose another").click()
        chooser.value.set_files(following)
    expect(figures(ada)).to_have_text("Sent. Your video is ready.")


def written(text: Path) -> Path:
    text.write_text("Not a video.\n" * 100)
    return text


def log_in_in_another_tab_and_try_again(page: Page, who: str) -> None:
    with page.expect_popup() as entrance:
        page.get_by_role("link", name="Log in in another tab").click()
    fill_entrance(entrance.value, who)
    entrance.value.wait_for_url("/")
    page.get_by_role("button", name="Try again").click()


def test_a_file_chosen_after_the_session_ended_is_sent_after_a_log_in_in_another_tab(visit, tmp_path):
    page = visit("ben", meant=(401, 403))
    open_exercise(page, "Side steps in time")
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Choose a video").first.set_input_files(write_clip(tmp_path / "try.mp4", seconds=2))
    log_in_in_another_tab_and_try_again(page, "ben")
    page.wait_for_url("/attempts/**")


def test_a_form_whose_video_was_sent_before_the_session_ended_is_saved_after_a_log_in_in_another_tab(visit, clip):
    page = visit("ada", meant=(401, 403))
    choose(page, clip)
    expect(figures(page)).to_have_text("Sent. Your video is ready.")
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Name").fill("Typed for a long time")
    page.get_by_role("button", name="Save as a draft").click()
    log_in_in_another_tab_and_try_again(page, "ada")
    expect(page.get_by_role("heading", level=1)).to_have_text("Typed for a long time")


def bring_to_comment(page, video: Path, text: str) -> None:
    """Choose a video for a comment, type, and ask for both to be sent."""
    open_exercise(page, "Side steps in time")
    page.get_by_text("Add a video").click()
    page.locator("form.composer input[type=file]").set_input_files(video)
    page.get_by_label("Your comment").fill(text)


def test_a_comment_whose_words_change_while_its_video_travels_leaves_no_draft(visit, line, large):
    page = visit("ben", base_url=line.address)
    line.slow(bytes_per_s=8_000_000)
    bring_to_comment(page, large, "Typed first")
    composer = page.get_by_label("Your comment")
    page.get_by_role("button", name="Comment", exact=True).click()
    composer.fill("Typed while it travels")
    line.slow(bytes_per_s=None)
    page.locator(".comment__text").get_by_text("Typed while it travels").wait_for()
    expect(composer).to_have_value("")


def test_what_one_person_typed_is_never_sent_as_another_who_has_logged_in_since(visit, clip):
    page = visit("ben", meant=(401, 403))
    bring_to_comment(page, clip, "Of Ben alone")
    expect(figures(page)).to_have_text("Sent. Your video is ready.")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Comment", exact=True).click()
    log_in_in_another_tab_and_try_again(page, "ada")
    expect(page.get_by_text("This form is too old")).to_be_visible()
    expect(page.locator(".comment__text").get_by_text("Of Ben alone")).to_have_count(0)
