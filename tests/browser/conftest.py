"""The real site in a real browser: gunicorn on a free port with the demo's data, and Chromium beside it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from practika_project.demo import PASSWORD
from tests.browser.program import chromium_program
from tests.once import made_once

ROOT = Path(__file__).resolve().parents[2]
FAKE_CAMERA = ["--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream"]  # always allowed
NO_PAGE = "/no-such-page/"  # Chromium reports its 404 as an error, which here is the answer wanted
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
Visit = Callable[..., Page]


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Function]) -> Iterator[None]:
    """Keep the browser's tests in two workers, each with one site and one Chromium; those that send mostly wait."""
    for item in items:
        if item.get_closest_marker("browser"):
            sends = item.path.name.startswith(("test_upload", "test_record"))
            item.add_marker(pytest.mark.xdist_group("browser that sends" if sends else "browser"))
    yield
    # pytest groups by the place that a parameter has in its list, and would build each stand twice.
    places = [place for place, item in enumerate(items) if _stand_of(item)]
    for place, item in zip(places, sorted((items[place] for place in places), key=_stand_of), strict=True):
        items[place] = item


def _stand_of(item: pytest.Function) -> str:
    return item.callspec.params.get("stand", "") if hasattr(item, "callspec") else ""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo from a folder of its own; yield its address."""
    folder = tmp_path_factory.mktemp("site") / "demo"
    shutil.copytree(made_once(tmp_path_factory, "demo", _seed), folder)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        environment = _environment(folder, address)
        log = folder / "log"
        with (
            log.open("wb") as output,
            _gunicorn(listening, environment, output) as server,
            _worker(environment, output) as worker,
        ):
            yield address
            for process in (server, worker):
                process.terminate()
                process.wait(30)
    lines = map(json.loads, log.read_text().splitlines())
    assert [line for line in lines if line["level"] in {"ERROR", "CRITICAL"}] == []


def _seed(folder: Path) -> None:
    environment = _environment(folder, "http://127.0.0.1")
    for command in ("migrate", "seed_demo"):
        subprocess.run(
            [sys.executable, "manage.py", command], cwd=ROOT, env=environment, check=True, capture_output=True
        )


def _environment(folder: Path, address: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return kept | {
        "DJANGO_DB_NAME": str(folder / "db.sqlite3"),
        "DJANGO_MEDIA_ROOT": str(folder / "media"),
        "DJANGO_BASE_URL": address,
        "WEB_CONCURRENCY": "1",
    }


def _worker(environment: dict[str, str], output: BinaryIO) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
    )


def _gunicorn(listening: socket.socket, environment: dict[str, str], output) -> subprocess.Popen:
    """Start the server on a socket that listens already: whoever connects early waits, nobody is refused."""
    number = listening.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "practika_project.wsgi:application", "--bind", f"fd://{number}"],
        cwd=ROOT,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=[number],
    )


@pytest.fixture(scope="session")
def chromium(site: str) -> Iterator[Browser]:
    """Start Chromium, for all tests of this worker."""
    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *FAKE_CAMERA])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(site: str, chromium: Browser) -> Callable[[str], dict]:
    """Return a function that logs a person of the demo in through the form, once, and gives the cookies."""
    known: dict[str, dict] = {}

    def cookies(who: str) -> dict:
        if who not in known:
            with chromium.new_context(base_url=site) as context:
                log_in(context.new_page(), who)
                known[who] = context.storage_state()
        return known[who]

    return cookies


def log_in(page: Page, who: str) -> None:
    page.goto("/accounts/login/")
    fill_entrance(page, who)
    page.wait_for_url("/")


def fill_entrance(page: Page, who: str) -> None:
    page.get_by_label("E-mail address").fill(f"{who}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def send_after_the_session_ended(page: Page, who: str, button: str) -> None:
    """Press the button of a form once the session has ended, and log in where that leads."""
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url("/accounts/login/?next=**")
    fill_entrance(page, who)


def send_with_an_old_token(page: Page, button: str) -> None:
    """Press the button of a form whose token is not valid any more; an error page says so."""
    pressed = page.get_by_role("button", name=button, exact=True)
    pressed.evaluate("(button) => (button.form.elements.csrfmiddlewaretoken.value = '0'.repeat(64))")
    pressed.click()
    expect(page.get_by_text("Error 403")).to_be_visible()


@pytest.fixture
def visit(site: str, chromium: Browser, signed_in: Callable[[str], dict]) -> Iterator[Visit]:
    """Return a function that opens a window for "ada", "ben", … or nobody.

    At the end, what the browser complained about in any of them fails the test: errors of scripts and of
    requests, and whatever the page's own security policy refused; but for answers with a status in `meant`.
    """
    contexts, complaints = [], []

    def open_window(who: str | None = None, meant: tuple[int, ...] = (), **options) -> Page:
        options = {"base_url": site, "viewport": PHONE, "reduced_motion": "reduce", **options}
        context = chromium.new_context(storage_state=signed_in(who) if who else None, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.on("console", lambda message: _is_complaint(message, meant) and complaints.append(message.text))
        context.on("weberror", lambda problem: complaints.append(str(problem.error)))
        return context.new_page()

    yield open_window
    for context in contexts:
        try:
            context.close()
        except Error as error:
            complaints.append(str(error))
    assert complaints == []


def _is_complaint(message: ConsoleMessage, meant: tuple[int, ...]) -> bool:
    url = message.location["url"]
    is_broken_line = "net::ERR_" in message.text and "/core/api/" in url  # what goes on by itself once it is mended
    is_too_late = "409 (Conflict)" in message.text and "/core/api/uploads/" in url  # canceled when it was complete
    is_old_link = "403 (Forbidden)" in message.text and "/core/api/parts/" in url  # another is asked for
    is_no_video = "415 (Unsupported" in message.text and "/core/api/uploads/" in url
    is_told = any(f"status of {status} (" in message.text for status in meant)
    is_meant = url.endswith(NO_PAGE) or is_broken_line or is_too_late or is_old_link or is_no_video or is_told
    return message.type in {"error", "warning"} and not is_meant
