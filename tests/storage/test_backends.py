"""What both backends promise (core.storage.base.VideoBackend)."""

import os
from datetime import UTC, datetime
from io import BytesIO

import pytest

from core.storage.base import InvalidKey, ObjectExists, ObjectNotFound
from core.storage.keys import new_key

NOW = datetime(2025, 3, 31, 23, 59, tzinfo=UTC)
ABSENT = "videos/2025/03/7d3f1a52-6f0e-4b57-9c49-1b2a3c4d5e6f"
BAD_KEYS = [
    "",
    "/etc/passwd",
    "../../etc/passwd",
    "videos/../../etc/passwd",
    "videos/2025/03/../../../x",
    ABSENT + "/",
    ABSENT + "\n",
    ABSENT + "\0.mp4",
    ABSENT.upper(),
    ABSENT.replace("2025", "２０２５"),
    "/" + ABSENT,
    ABSENT.replace("/03/", "/13/"),
    None,
]
BAD_NAMES = ["../../../etc/passwd", "a\0b.mp4", "\u202egpj.mp4", "C:\\x\\y.mp4", "-rf", "x" * 300, "", "."]


def test_an_uploaded_file_is_fetched_with_its_url_alone(place):
    key = place.backend.upload(BytesIO(b"moving pictures"), "dance.mp4")
    assert place.fetch(place.backend.get_url(key)) == (200, b"moving pictures")


def test_a_large_file_arrives_whole(place):
    content = os.urandom(20 * 1024 * 1024 + 7)  # more than two parts of S3
    key = place.backend.upload(BytesIO(content), "long.mp4")
    with place.backend.open(key) as stored:
        assert stored.read() == content
    assert place.backend.stat(key).size_bytes == len(content)


def test_an_empty_file_is_stored(backend):
    assert backend.stat(backend.upload(BytesIO(b""), "empty")).size_bytes == 0


def test_a_file_that_a_form_has_read_is_stored_from_its_start(backend):
    file = BytesIO(b"moving pictures")
    file.read()
    assert backend.stat(backend.upload(file, "dance.mp4")).size_bytes == 15


def test_the_callers_file_stays_open(backend):
    file = BytesIO(b"moving pictures")
    backend.upload(file, "dance.mp4")
    assert not file.closed


def test_an_error_of_the_source_passes_and_nothing_is_stored(place):
    class Broken:
        def read(self, size=-1):
            raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        place.backend.upload(Broken(), "cut.mp4")
    assert place.keys() == []


def test_two_uploads_of_one_name_are_two_objects(backend):
    first, second = (backend.upload(BytesIO(content), "same.mp4") for content in (b"one", b"two"))
    assert first != second
    assert [backend.open(key).read() for key in (first, second)] == [b"one", b"two"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_never_influences_the_key(place, name):
    key = place.backend.upload(BytesIO(b"x"), name)
    assert place.keys() == [key]
    assert place.backend.stat(key).size_bytes == 1


@pytest.mark.parametrize("key", BAD_KEYS)
def test_what_is_not_our_key_is_refused_everywhere(backend, key, finished_file):
    source = finished_file()
    for call in (
        backend.open,
        backend.stat,
        backend.delete,
        backend.get_url,
        lambda bad: backend.adopt(source, bad, mime_type="video/mp4"),
    ):
        with pytest.raises(InvalidKey):
            call(key)
    assert source.exists()


def test_keys_are_dated_and_random():
    key = new_key(NOW)
    assert key.startswith("videos/2025/03/")
    assert key != new_key(NOW)


def test_deleting_twice_is_fine(place):
    key = place.backend.upload(BytesIO(b"x"), "x")
    place.backend.delete(key)
    place.backend.delete(key)
    assert place.keys() == []


def test_absent_objects_are_not_found(backend):
    with pytest.raises(ObjectNotFound) as opening:
        backend.open(ABSENT)
    with pytest.raises(ObjectNotFound) as asking:
        backend.stat(ABSENT)
    assert opening.value.key == asking.value.key == ABSENT


def test_adopting_consumes_the_source(place, finished_file):
    source, key = finished_file(), new_key(NOW)
    place.backend.adopt(source, key, mime_type="video/mp4")
    assert not source.exists()
    assert place.fetch(place.backend.get_url(key)) == (200, b"a finished video")
    assert place.keys() == [key]


@pytest.mark.parametrize("size_bytes", [10, 9 * 1024 * 1024], ids=["small", "in parts"])
def test_adopting_never_overwrites(backend, finished_file, size_bytes):
    key = new_key(NOW)
    backend.adopt(finished_file(b"1" * size_bytes), key, mime_type="video/mp4")
    second = finished_file(b"2" * size_bytes)
    with pytest.raises(ObjectExists):
        backend.adopt(second, key, mime_type="video/mp4")
    assert backend.open(key).read() == b"1" * size_bytes
    assert second.read_bytes() == b"2" * size_bytes


def test_a_source_that_is_gone_is_the_callers_mistake(backend, tmp_path):
    with pytest.raises(FileNotFoundError):
        backend.adopt(tmp_path / "gone", new_key(NOW), mime_type="video/mp4")


def test_the_check_passes_and_leaves_nothing(place):
    place.backend.check()
    assert place.keys() == []
