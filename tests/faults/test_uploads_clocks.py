"""Two servers of one site, and the clock of one is wrong: nothing alive is swept, and every upload can be ended."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.faults.site import Sender, Site

# The clock alone: files keep the file system's time, as on a network disk, and whatever waits waits as long as ever.
CLOCK_ALONE = {"NO_FAKE_STAT": "1", "FAKE_UTIME": "0", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.fixture(scope="module")
def right(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server whose clock is right."""
    made = prepared_site.copied_to(tmp_path_factory.mktemp("clocks"), {"WEB_CONCURRENCY": "1"})
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=["+2h", "-1d"])
def wrong(right: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Another server of the same site; not gunicorn, for under faketime Python's sleep fails (EINVAL)."""
    people = {"classroom": right.classroom, "session": right.session}
    prefix = ("faketime", "-m", "-f", request.param)
    made = Site(right.folder, right.variables | CLOCK_ALONE, prefix=prefix, is_plain=True, **people)
    made.start()
    yield made
    made.stop()


def through(site: Site, sender: Sender) -> Sender:
    """Return the same person with the same upload, asking this server."""
    other = Sender(site, sender.content, recording=True)
    other.fields, other.upload = sender.fields, sender.upload
    return other


def put(link: str, content: bytes) -> int:
    try:
        return requests.put(link, content, timeout=30).status_code
    except requests.ConnectionError:
        return 403  # refused before all of it was read, and the connection closed


@pytest.mark.skipif(
    not (shutil.which("faketime") or os.environ.get("CI") == "true"), reason="faketime is not installed"
)
def test_an_upload_through_both_servers_is_ended_and_no_sweep_takes_it(right: Site, wrong: Site, video: bytes):
    sender = Sender(wrong, video, token=uuid4().hex, recording=True).open()
    both = [sender, through(right, sender)]
    for number in sender.numbers():
        assert both[number % 2].send(number).status_code == 200
    for site in (right, wrong):
        site.run("prune_uploads")
    assert sender.held() == list(sender.numbers())
    for one, other in (both, both[::-1]):  # a link that is too old by the other's clock is refused, and nothing worse
        assert put(one.link(1).replace(one.address, other.address), one.part(1)) in {200, 403}
    assert both[1].send(1).status_code == 200
    assert both[1].complete().status_code == 201
    assert both[0].complete().status_code == 200
    right.run("prune_uploads")
    assert hashlib.sha256(newest_video(right).read_bytes()).digest() == hashlib.sha256(video).digest()
    assert '"duration_ms": -' not in (right.folder / "log").read_text()


def newest_video(site: Site) -> Path:
    return max(site.media.glob("videos/*/*/*"), key=lambda path: path.stat().st_mtime_ns)
