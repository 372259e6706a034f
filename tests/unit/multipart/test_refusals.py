"""What is refused, and leaves nothing."""

import resource
import signal

import pytest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import UnreadablePostError

from core.multipart import MultiPartParserError, NoSpaceLeft, VideoTooLarge
from core.storage.base import StorageUnavailable
from tests.unit.multipart.forms import VIDEO, WHOLE, Trickle, form, part


@pytest.mark.parametrize("length", range(1, len(WHOLE) - 3, 7))
def test_a_body_without_its_end_is_malformed(receive, length):
    with pytest.raises(MultiPartParserError):
        _ = receive(WHOLE[:length]).FILES


@pytest.mark.parametrize("missing", [1, 2, 5, 100])
def test_a_body_shorter_than_announced_is_malformed(receive, missing):
    with pytest.raises(MultiPartParserError, match="shorter"):
        _ = receive(WHOLE, length=len(WHOLE) + missing).FILES


@pytest.mark.parametrize(
    "body",
    [
        form(part(VIDEO, b"1"), part(VIDEO, b"2")),
        form(part('name="other"; filename="x.mp4"', b"1")),
        form(part(VIDEO, b"1"), part('name="other"; filename="x.mp4"', b"1")),
        form(b"\r\nno headers"),
        form(b"Content-Type: video/mp4\r\n\r\nno name"),
        form(b"Content-Disposition: form-data\r\n\r\nno name"),
        form(b"Content-Disposition: attachment; name=video\r\n\r\nx"),
        form(b"Content-Disposition form-data; name=video\r\n\r\nno colon"),
        form(b'Content-Disposition: form-data; name="\xff"\r\n\r\nnot UTF-8'),
        form(part('name="a"', b"MQ==", "Content-Transfer-Encoding: base64")),
        form(part('name="a"', b"1", "X-Long: " + "x" * 9000)),
        form(part('name="a"', b"1")).replace(b"Gh\r\n", b"GhIj\r\n", 1),
        b"no boundary at all",
        b"\r\n",
    ],
)
def test_what_is_not_well_formed_is_refused(receive, body):
    with pytest.raises(MultiPartParserError):
        _ = receive(body).FILES


def test_a_video_over_the_limit_is_too_large(receive):
    with pytest.raises(VideoTooLarge) as refusal:
        _ = receive(form(part(VIDEO, bytes(2_000_000))), max_bytes=1_999_999).FILES
    assert refusal.value.max_bytes == 1_999_999
    assert receive(form(part(VIDEO, bytes(2_000_000))), max_bytes=2_000_000).FILES["video"].size == 2_000_000


def test_a_body_announced_as_too_large_is_not_read(receive):
    class Unread(Trickle):
        def read(self, size):
            raise AssertionError("the body was read")

    with pytest.raises(VideoTooLarge):
        _ = receive(b"", stream=Unread(b"", 1), length=1 << 40).FILES


def test_fields_are_limited_in_bytes_and_in_number(receive, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000, 3
    with pytest.raises(RequestDataTooBig):
        _ = receive(form(part(VIDEO, b"x"), part('name="a"', bytes(1000)))).FILES
    with pytest.raises(TooManyFieldsSent):
        _ = receive(form(part(VIDEO, b"x"), *[part('name="a"')] * 3)).FILES


def test_a_line_that_breaks_is_an_unreadable_request(receive):
    class Broken(Trickle):
        def read(self, size):
            return super().read(size) or self.fail()

        def fail(self):
            raise ConnectionResetError("the browser went away")

    with pytest.raises(UnreadablePostError):
        _ = receive(b"", stream=Broken(WHOLE[:200], 50), length=len(WHOLE)).FILES


def test_a_disk_without_space_says_so(receive):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(NoSpaceLeft):
            _ = receive(form(part(VIDEO, bytes(200_000)))).FILES
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_folder_that_is_a_file_is_unavailable(receive, tmp_path):
    (tmp_path / "incoming").write_bytes(b"")
    try:
        with pytest.raises(StorageUnavailable):
            _ = receive(form(part(VIDEO, b"x"))).FILES
    finally:
        (tmp_path / "incoming").unlink()
