"""Every format plays in a real browser: what Practika would serve of it, to its last picture, upright, in its size.

The pictures are looked at as the browser draws them; no header is asked.
"""

import base64
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from core.media.facts import Need
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition
from tests.browser.program import chromium_program
from tests.videos.formats import FORMATS, Format
from tests.videos.marked import CORNERS, LOOK, Seen, looked_at

pytestmark = pytest.mark.browser

SOUGHT = (0.76, 0.26, 0.01)
WATCH = """
async ([address, width, height, moments]) => {
  const video = document.createElement("video");
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const look = () => {
    context.drawImage(video, 0, 0, width, height);
    const bytes = context.getImageData(0, 0, width, height).data;
    return [video.currentTime, btoa(String.fromCharCode(...bytes))];
  };
  const when = (kind) => new Promise((resolve, reject) => {
    video.addEventListener(kind, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
    setTimeout(() => reject(new Error(`no ${kind} came`)), 20_000);
  });
  // The event may come before the picture is on the screen; where the picture stays the same, none comes at all.
  const shown = (moment) => new Promise((resolve) => {
    const check = (_, { mediaTime }) =>
      mediaTime <= moment + 0.1 ? resolve() : video.requestVideoFrameCallback(check);
    video.requestVideoFrameCallback(check);
    setTimeout(resolve, 1_000);
  });
  const nextPaint = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  let waiting = when("loadeddata");
  video.muted = true;
  video.src = address;
  document.body.replaceChildren(video);
  await waiting;
  waiting = when("ended");
  await video.play();
  await waiting;
  await nextPaint();
  const played = { duration: video.duration, size: [video.videoWidth, video.videoHeight], last: look() };
  const sought = [];
  for (const moment of moments) {
    waiting = Promise.all([when("seeked"), shown(moment)]);
    video.currentTime = moment;
    await waiting;
    sought.push(look());
  }
  return { ...played, sought, soundBytes: video.webkitAudioDecodedByteCount };
}
"""


@dataclass(frozen=True)
class Watched:
    """What Chromium showed: the timeline's length, the size on the page, the last picture, and pictures sought."""

    duration_s: float
    size: tuple[int, int]
    last: Seen
    sought: list[Seen]
    has_sound: bool


class Files(BaseHTTPRequestHandler):
    """Serves an empty page at / and the files of one folder beside it, whole or in ranges (RFC 9110, section 14)."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        path = self.folder / Path(self.path).name
        whole = path.read_bytes() if path.is_file() else b""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin, end = (int(asked[1]), int(asked[2] or len(whole) - 1) + 1) if asked else (0, len(whole))
        part = whole[begin:end]
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        self.send_header("Content-Type", "video/mp4" if whole else "text/html")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{begin + len(part) - 1}/{len(whole)}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *arguments: Any) -> None:
        """Keep silent."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose files the browser can fetch."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Serve the folder; yield the address of the empty page."""
    handler = type("FilesOfFolder", (Files,), {"folder": folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def watch(address: str) -> Iterator[Callable[[str], Watched]]:
    """Return a function that plays one of the files to its end.

    The browser is talked to in a thread of its own: a thread has room for one Playwright, and the journeys have theirs.
    """
    program = chromium_program()
    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(sync_playwright().start).result()
        browser = thread.submit(playwright.chromium.launch, executable_path=program, args=["--no-sandbox"]).result()
        page = thread.submit(browser.new_page).result()
        thread.submit(page.goto, address).result()
        yield lambda name: _watched(thread.submit(page.evaluate, WATCH, [name, *LOOK, SOUGHT]).result())
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


def _watched(said: dict[str, Any]) -> Watched:
    pictures = [_seen(*look) for look in (said["last"], *said["sought"])]
    return Watched(said["duration"], tuple(said["size"]), pictures[0], pictures[1:], said["soundBytes"] > 0)


def _seen(at_s: float, pixels: str) -> Seen:
    return looked_at(base64.b64decode(pixels), at_s, row_bytes=4 * LOOK[0], pixel_bytes=4)


def served(form: Format, scratch: Path, folder: Path) -> str:
    """Put what Practika would serve of such a file into the folder; return its name."""
    source, target = form.build(scratch), folder / f"{scratch.name}.mp4"
    need = inspect_video(source, poster=scratch / "poster.jpg").need
    assert need == form.need
    if need == Need.NOTHING:
        source.rename(target)
    else:
        make_rendition(source, target, need=need)
    return target.name


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_plays_to_its_last_picture_upright_and_in_its_size(kind, watch, folder, tmp_path):
    form = FORMATS[kind]
    watched = watch(served(form, tmp_path, folder))
    assert watched.size == form.size
    assert watched.duration_s == pytest.approx(form.seconds, abs=0.07)
    assert watched.has_sound == form.has_sound
    assert watched.last.bar == pytest.approx(form.last_s, abs=0.02)
    assert watched.last.corners == CORNERS
    for moment, picture in zip(SOUGHT, watched.sought, strict=True):
        assert picture.corners == CORNERS
        expected = min(form.last_s, max(0, moment + form.bar_ahead_s))
        assert picture.bar == pytest.approx(expected, abs=0.04)
