"""Uploads on a disk that is full, cannot be written, or fails: refused in sentences, and gone on with afterwards."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.faults.disks import filled, is_ended, is_problem, mount, signed, small_disk
from tests.faults.site import Sender, Site, until

DISK_BYTES = 6 * 1024**2
ROOM_BYTES = 1_500_000  # for one part of a recording, and what is around it
CHILDREN = "/proc/{pid}/task/{pid}/children"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks and traces other processes")


@pytest.fixture(scope="module")
def small(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site whose videos lie on a disk of DISK_BYTES."""
    folder = tmp_path_factory.mktemp("small")
    made = prepared_site.copied_to(folder, {"WEB_CONCURRENCY": "1"})
    made.media.mkdir()
    with ExitStack() as disks:
        disks.enter_context(small_disk(made.media, DISK_BYTES))
        figures = made.media / ".metrics"
        figures.mkdir()
        disks.enter_context(small_disk(figures, DISK_BYTES))  # always open for writing: no disk with it turns read-only
        made.start()
        yield made
        made.stop()


@pytest.fixture
def sender(small: Site, video: bytes) -> Iterator[Sender]:
    """Ben, sending a recording of four parts, of which the first is held; nothing is left of it afterwards."""
    made = Sender(small, video, token=uuid4().hex, recording=True).open()
    assert made.send(1).status_code == 200
    yield made
    made.call("DELETE", made.upload["url"])
    for path in small.media.glob("videos/*/*/*"):
        path.unlink()


@contextmanager
def failing(site: Site, path: Path, calls: str, error: str) -> Iterator[None]:
    """Let these system calls on that file end with an error in the process that serves."""
    assert site.process is not None
    (worker,) = Path(CHILDREN.format(pid=site.process.pid)).read_text().split()
    command = ["strace", "-f", "-p", worker, "-P", path, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
    with (site.folder / "strace").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as tracing:
        until(lambda: "attached" in (site.folder / "strace").read_text(), 30)
        try:
            yield
        finally:
            tracing.terminate()


def test_a_full_disk_is_507_keeps_the_parts_before_and_takes_the_next_once_there_is_room(small: Site, sender: Sender):
    with filled(small.media, ROOM_BYTES):
        assert sender.send(2).status_code == 200
        assert is_problem(signed(sender, 3), 507)
        assert sender.held() == [1, 2]
        one_shot = {"files": {"video": sender.content}, "data": {"name": "A"}, "timeout": 60}
        answer = sender.visitor.post(f"{small.address}/core/api/upload-video/", **one_shot)
        assert is_problem(answer, 507)
        assert answer.headers["Connection"] == "close"
        assert list((small.media / "incoming").iterdir()) == []
        assert small.visitor().get(f"{small.address}/exercises/", timeout=30).status_code == 200
    assert is_ended(sender)


def test_a_storage_that_cannot_be_written_is_503_and_what_it_holds_can_be_asked(small: Site, sender: Sender):
    for number in (2, 3, 4):
        sender.send(number)
    link = sender.link(4)
    (lock,) = small.media.glob("uploads/*/lock")
    with failing(small, lock, "openat", "EROFS"):
        for call in (lambda: signed(sender, 4), lambda: requests.put(link, sender.part(4), timeout=30)):
            assert is_problem(call(), 503)
        refused = sender.complete()
        assert is_problem(refused, 503)
        assert int(refused.headers["Retry-After"]) > 0
        assert sender.held() == [1, 2, 3, 4]
    assert is_ended(sender)


def test_a_folder_that_turns_read_only_is_503_while_pages_go_on_and_needs_no_restart(small: Site, sender: Sender):
    link = sender.link(2)
    shutil.rmtree(small.media / "incoming", ignore_errors=True)  # as before the first form with a video
    mount("-o", "remount,ro", small.media)
    try:
        another = Sender(small, sender.content, token=uuid4().hex)
        form = {"files": {"video": sender.content}, "data": {"name": "A"}, "timeout": 60}
        for call in (
            lambda: another.call("POST", "/core/api/uploads/", another.fields),
            lambda: signed(sender, 2),
            lambda: requests.put(link, sender.part(2), timeout=30),
            lambda: sender.visitor.post(f"{small.address}/core/api/upload-video/", **form),
        ):
            assert is_problem(call(), 503)
        assert sender.complete().json()["missing"] == [2, 3, 4]
        assert sender.held() == [1]
        assert small.visitor().get(f"{small.address}/exercises/", timeout=30).status_code == 200
    finally:
        mount("-o", "remount,rw", small.media)
    assert another.open().upload["parts"] == []
    assert another.call("DELETE", another.upload["url"]).status_code == 204
    assert is_ended(sender)


def test_a_quota_of_the_disk_that_is_used_up_is_507_for_a_part_and_for_the_end(small: Site, sender: Sender):
    (file,) = small.media.glob("uploads/*/video")
    with failing(small, file, "splice,pwrite64", "EDQUOT"):
        assert is_problem(sender.send(2), 507)
        assert sender.held() == [1]
    for number in (2, 3, 4):
        assert sender.send(number).status_code == 200
    with failing(small, file, "fsync", "EDQUOT"):
        assert is_problem(sender.complete(), 507)
        assert list(small.media.glob("videos/*/*/*")) == []
    assert is_ended(sender)


def test_a_disk_that_fails_to_make_the_bytes_durable_is_503_and_the_next_call_ends_it(small: Site, sender: Sender):
    for number in (2, 3, 4):
        sender.send(number)
    (file,) = small.media.glob("uploads/*/video")
    with failing(small, file, "fsync", "EIO"):
        assert is_problem(sender.complete(), 503)
        assert list(small.media.glob("videos/*/*/*")) == []
    assert is_ended(sender)
