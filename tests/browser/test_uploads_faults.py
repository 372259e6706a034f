"""Uploads from a browser while the server is killed, the page is left, and the storage fails: in both backends."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from core.media.inspection import inspect_video
from tests.browser.conftest import DESKTOP
from tests.browser.recording import expect_recorded
from tests.browser.test_journey import MEASURE
from tests.browser.test_uploads import OVERHEAD_BYTES, PART_BYTES, choose, figures, leave, write_large
from tests.faults.proxy import Line
from tests.faults.s3 import BUCKET, FailingGate, failing_s3
from tests.faults.site import Site, prepared_once, until

pytestmark = pytest.mark.browser

LARGE_BYTES = 200_000_000
SLOW = 15_000_000  # bytes a second: a part takes longer than a moment, so parts go one after the other
PATIENCE_MS = 120_000
READY = "Sent. Your video is ready."
FAILURES = [(500, "InternalError"), (503, "SlowDown"), (403, "AccessDenied"), (400, "XAmzContentSHA256Mismatch")]
# The learner leads their class, and another.
LEAD = """
from accounts.models import Classroom, Membership
user = Membership.objects.get().user
Membership.objects.create(user=user, classroom=Classroom.objects.create(name="Songs"), role="instructor")
Membership.objects.update(role="instructor")
"""
in_s3 = pytest.mark.parametrize("stand", ["s3"], indirect=True)
in_local_mode = pytest.mark.parametrize("stand", ["local"], indirect=True)


@dataclass
class Stand:
    """A running site, the line on which the bytes of its videos come, and the gate before its S3 server, if any."""

    site: Site
    line: Line
    address: str
    gate: FailingGate | None = None

    def uploads(self, number: int) -> list[tuple[str, str, str]]:
        """Return path, state, and class of the newest uploads, the newest first."""
        joined = "core_upload u JOIN accounts_classroom c ON c.id = u.classroom_id"
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3", timeout=10)) as database:
            return database.execute(
                f"SELECT u.storage_path, u.state, c.name FROM {joined} ORDER BY u.created_at DESC LIMIT ?", [number]
            ).fetchall()

    @contextmanager
    def without_members(self) -> Iterator[None]:
        """Nobody is in a class while the block runs."""
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3", timeout=10)) as database:
            with database:
                database.execute("CREATE TABLE kept AS SELECT * FROM accounts_membership")
                database.execute("DELETE FROM accounts_membership")
            yield
            with database:
                database.execute("INSERT INTO accounts_membership SELECT * FROM kept")
                database.execute("DROP TABLE kept")

    def stored(self) -> str:
        """Return the SHA-256 of what is stored of the newest upload."""
        ((path, _, _),) = self.uploads(1)
        if self.gate is None:
            return hashlib.sha256((self.site.media / path).read_bytes()).hexdigest()
        return hashlib.sha256(self.gate.client.get_object(Bucket=BUCKET, Key=path)["Body"].read()).hexdigest()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with two classes and their instructor, who is logged in."""
    made = prepared_once(tmp_path_factory).copied_to(tmp_path_factory.mktemp("prepared"), {})
    made.shell(LEAD)
    return made


@pytest.fixture(scope="module", params=["local", "s3"])
def stand(request: pytest.FixtureRequest, prepared: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp(request.param)
    site = prepared.copied_to(folder, {"WEB_CONCURRENCY": "1"}, has_worker=True)
    with ExitStack() as stack:
        gate = stack.enter_context(failing_s3()) if request.param == "s3" else None
        there = urlsplit(gate.address if gate else site.address)
        line = stack.enter_context(Line(there.hostname or "", there.port or 0))
        if gate:
            site.variables |= gate.variables(line.address)
        stack.callback(site.stop)
        site.start()
        yield Stand(site, line, site.address if gate else line.address, gate)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_large(tmp_path_factory.mktemp("large") / "large.mp4", LARGE_BYTES)


@pytest.fixture
def window(stand: Stand, prepared: Site, chromium: Browser) -> Iterator[Page]:
    """The instructor's window; whatever the page's own security policy refuses fails the test."""
    complaints: list[str] = []
    with chromium.new_context(base_url=stand.address, viewport=DESKTOP, reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "sessionid", "value": prepared.session, "url": stand.address}])
        context.on("console", lambda said: "Content Security" in said.text and complaints.append(said.text))
        context.on("weberror", lambda problem: complaints.append(str(problem.error)))
        page = context.new_page()
        page.on("dialog", leave)
        yield page
    stand.line.mend()
    stand.line.slow(bytes_per_s=None)
    assert complaints == []


def wait_for_bytes(page: Page, line: Line, sent_bytes: float) -> None:
    """Return when so many bytes have been sent on the line."""
    until(lambda: page.evaluate("true") and line.sent_bytes >= sent_bytes, PATIENCE_MS / 1000)


def expect_ready(page: Page) -> None:
    expect(figures(page)).to_have_text(READY, timeout=PATIENCE_MS)


def save_and_play(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=PATIENCE_MS)
    width, height, duration_s = page.locator("video").evaluate(MEASURE)
    assert width > 0
    assert height > 0
    assert duration_s > 0.5


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@in_s3
def test_a_chosen_file_goes_straight_to_s3_and_plays_from_there(stand: Stand, window: Page, clip: Path) -> None:
    choose(window, clip)
    expect_ready(window)
    assert stand.stored() == digest(clip)
    save_and_play(window, "Chosen")
    assert {("PUT", 200), ("GET", 206)} <= set(stand.gate.answered)
    assert not list(stand.site.media.rglob("videos/*/*/*"))


@in_s3
def test_a_recording_goes_straight_to_s3_and_plays_from_there(stand: Stand, window: Page) -> None:
    window.goto("/exercises/create/")
    stand.gate.answered.clear()
    window.get_by_role("button", name="Record", exact=True).click()
    window.get_by_role("button", name="Start recording").click()
    expect_recorded(window, 2, PATIENCE_MS)
    window.get_by_role("button", name="Stop recording").click()
    window.get_by_role("button", name="Use this video").click()
    expect_ready(window)
    save_and_play(window, "Recorded")
    assert {("PUT", 200), ("GET", 206)} <= set(stand.gate.answered)


def test_a_server_killed_at_two_fifths_and_started_again_lets_the_browser_go_on_by_itself(
    stand: Stand, window: Page, large: Path
) -> None:
    begun = stand.line.sent_bytes
    stand.line.slow(bytes_per_s=SLOW)
    choose(window, large)
    wait_for_bytes(window, stand.line, begun + 0.4 * LARGE_BYTES)
    stand.site.kill()
    expect(figures(window)).to_contain_text("It goes on by itself", timeout=PATIENCE_MS)
    stand.line.slow(bytes_per_s=None)
    stand.site.start()
    expect_ready(window)
    assert stand.stored() == digest(large)


def test_a_page_reloaded_at_three_fifths_sends_less_than_a_part_again(stand: Stand, window: Page, large: Path) -> None:
    begun = stand.line.sent_bytes
    stand.line.slow(bytes_per_s=SLOW)
    choose(window, large)
    held = 7 * PART_BYTES / LARGE_BYTES  # acknowledged, so that no part but the next one is on its way
    window.wait_for_function("held => document.querySelector('[data-part=acknowledged]').value >= held", arg=held)
    window.reload()
    stand.line.slow(bytes_per_s=None)
    choose(window, large)
    expect_ready(window)
    assert stand.line.sent_bytes - begun < LARGE_BYTES + PART_BYTES + OVERHEAD_BYTES
    assert stand.stored() == digest(large)


@in_s3
def test_a_part_that_s3_does_not_take_is_sent_again(stand: Stand, window: Page, clip: Path) -> None:
    for error in FAILURES:
        stand.gate.answered.clear()
        stand.gate.signed_sha256.clear()
        stand.gate.answer_next(*error, times=2)
        choose(window, clip)
        expect_ready(window)
        assert [status for method, status in stand.gate.answered if method == "PUT"] == [error[0], error[0], 200]
        assert stand.gate.signed_sha256 == {digest(clip)}
        assert stand.stored() == digest(clip)
        window.evaluate("localStorage.clear()")  # a page that remembers it would not send it again


def test_a_line_that_stalls_without_a_word_is_given_up_and_the_part_is_sent_again(
    stand: Stand, window: Page, clip: Path
) -> None:
    window.clock.install()
    stand.line.slow(bytes_per_s=20_000)
    begun = stand.line.sent_bytes
    choose(window, clip)
    wait_for_bytes(window, stand.line, begun + clip.stat().st_size // 2)
    stand.line.stall()
    window.clock.fast_forward(16_000)
    expect(figures(window)).to_contain_text("It goes on by itself", timeout=PATIENCE_MS)
    stand.line.slow(bytes_per_s=None)
    stand.line.mend()
    expect_ready(window)
    assert stand.stored() == digest(clip)


@in_local_mode
def test_a_class_changed_while_the_video_is_sent_takes_the_video_along(
    stand: Stand, window: Page, tmp_path: Path
) -> None:
    video = write_large(tmp_path / "video.mp4", 2 * PART_BYTES)
    begun = stand.line.sent_bytes
    stand.line.slow(bytes_per_s=SLOW)
    choose(window, video)
    wait_for_bytes(window, stand.line, begun + PART_BYTES // 2)
    with window.expect_response(lambda answer: answer.request.method == "DELETE") as discarded:
        window.get_by_label("Class").select_option("Songs")
    stand.line.slow(bytes_per_s=None)
    assert discarded.value.status == 204
    expect_ready(window)
    assert [(state, name) for _, state, name in stand.uploads(2)] == [("complete", "Songs"), ("aborted", "Films")]
    assert stand.stored() == digest(video)


@in_local_mode
def test_a_recording_for_a_class_one_was_put_out_of_can_be_saved_on_the_device(
    stand: Stand, window: Page, tmp_path: Path
) -> None:
    window.goto("/exercises/create/")
    window.get_by_role("button", name="Record", exact=True).click()
    window.get_by_role("button", name="Start recording").click()
    expect_recorded(window, 1, PATIENCE_MS)
    with stand.without_members():
        window.get_by_role("button", name="Stop recording").click()
        window.get_by_role("button", name="Use this video").click()
        with window.expect_download() as saved:
            window.get_by_role("link", name="Save a copy").click()
    assert saved.value.suggested_filename.startswith("Recording.")
    saved.value.save_as(tmp_path / "saved")
    assert inspect_video(tmp_path / "saved", poster=tmp_path / "poster.jpg").duration_ms > 500


@in_s3
def test_a_storage_that_says_nothing_is_given_up_and_the_part_is_sent_again(
    stand: Stand, window: Page, clip: Path
) -> None:
    window.clock.install()
    stand.gate.is_silent.set()
    choose(window, clip)
    until(lambda: window.evaluate("1") and stand.gate.is_waiting.is_set(), 30)
    stand.gate.is_silent.clear()
    window.clock.fast_forward(61_000)
    expect_ready(window)
    assert stand.stored() == digest(clip)
