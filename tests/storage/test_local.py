"""The folder: private files, links that expire, a disk that is full, read-only or broken."""

import os
import resource
import signal
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from threading import Barrier

import pytest

from core.services.storage import read_signed_media, signed_media_token
from core.storage.base import ObjectExists, StorageFull, StorageUnavailable
from core.storage.keys import new_key
from core.storage.local import LocalStorageBackend

NOW = datetime(2025, 3, 31, 23, 59, tzinfo=UTC)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Mounts a file system: run as root.")


@contextmanager
def largest_file(size_bytes):
    """No file of this process may grow beyond `size_bytes` meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def small_disk(folder, options):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield LocalStorageBackend(folder, sign_url=signed_media_token)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_files_are_closed_to_other_accounts(local_place, finished_file):
    key = new_key(NOW)
    source = finished_file()
    source.chmod(0o666)
    local_place.backend.adopt(source, key, mime_type="video/mp4")
    path = local_place.backend.path(key)
    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o027 == 0


def test_adopting_copies_nothing(local_place, finished_file):
    source, key = finished_file(), new_key(NOW)
    inode = source.stat().st_ino
    local_place.backend.adopt(source, key, mime_type="video/mp4")
    assert local_place.backend.path(key).stat().st_ino == inode
    assert local_place.backend.path(key).stat().st_nlink == 1


def test_an_adoption_killed_between_link_and_unlink_is_finished_by_the_next(local_place, finished_file):
    source, key = finished_file(), new_key(NOW)
    target = local_place.backend.path(key)
    target.parent.mkdir(parents=True)
    os.link(source, target)
    local_place.backend.adopt(source, key, mime_type="video/mp4")
    assert not source.exists()
    assert target.read_bytes() == b"a finished video"


def test_of_many_that_adopt_one_key_one_wins(local_place, finished_file):
    """Locally only: the test server of S3 checks `If-None-Match` and writes in two steps."""
    key, together = new_key(NOW), Barrier(4)
    sources = [finished_file(bytes([65 + i]), f"finished-{i}") for i in range(4)]

    def adopt(source):
        together.wait()
        try:
            local_place.backend.adopt(source, key, mime_type="video/mp4")
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(adopt, sources))
    winner = won.index(True)
    assert won.count(True) == 1
    assert local_place.backend.open(key).read() == bytes([65 + winner])
    assert [source.exists() for source in sources] == [not w for w in won]


def test_a_link_expires(local_place):
    key = local_place.backend.upload(BytesIO(b"x"), "x")
    assert local_place.fetch(local_place.backend.get_url(key, expires_in_s=-1)) == (403, b"")


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: "A" + t, lambda t: "", lambda t: t + ":x"])
def test_a_changed_link_is_no_link(change):
    token = signed_media_token(new_key(NOW), 3600)
    assert read_signed_media(token) is not None
    assert read_signed_media(change(token)) is None


def test_a_link_fits_into_one_part_of_a_path():
    assert not set(signed_media_token(new_key(NOW), 3600)) & set("/?#%& ")


def test_a_file_beyond_what_may_be_written_is_full_and_nothing_stays(local_place):
    with largest_file(100_000), pytest.raises(StorageFull, match="full"):
        local_place.backend.upload(BytesIO(bytes(200_000)), "long.mp4")
    assert local_place.keys() == []


@needs_root
def test_a_full_disk_is_full_and_recovers(tmp_path):
    with small_disk(tmp_path / "disk", "size=1m") as backend:
        kept = backend.upload(BytesIO(bytes(300_000)), "kept.mp4")
        with pytest.raises(StorageFull, match="full"):
            backend.upload(BytesIO(bytes(2_000_000)), "long.mp4")
        assert backend.stat(kept).size_bytes == 300_000
        backend.check()


@needs_root
def test_a_read_only_disk_says_so_and_still_reads(tmp_path):
    with small_disk(tmp_path / "disk", "size=1m") as backend:
        kept = backend.upload(BytesIO(b"kept"), "kept.mp4")
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "disk"], check=True)
        with pytest.raises(StorageUnavailable, match="Read-only"):
            backend.check()
        assert backend.open(kept).read() == b"kept"


def test_a_root_that_is_a_file_is_unavailable(tmp_path):
    (tmp_path / "media").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match="DJANGO_MEDIA_ROOT"):
        LocalStorageBackend(tmp_path / "media", sign_url=signed_media_token).check()


@needs_root
def test_a_source_on_another_disk_is_refused_and_kept(tmp_path, finished_file):
    source = finished_file()
    with small_disk(tmp_path / "disk", "size=1m") as backend:
        with pytest.raises(StorageUnavailable, match="on the disk of"):
            backend.adopt(source, new_key(NOW), mime_type="video/mp4")
        assert source.exists()
