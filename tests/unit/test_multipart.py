"""The upload handler, driven through Django's own request, parser and end of request."""

import gc
import hashlib
import os
import resource
import signal
import socket
import stat
from io import BytesIO
from threading import Thread

import pytest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader
from hypothesis import given
from hypothesis import strategies as st

from core.body import BodyReader
from core.multipart import MultiPartParserError, NoSpaceLeft, VideoTooLarge, VideoUploadHandler
from core.received import WRITE_BACK_BYTES, display_name
from core.storage.base import StorageUnavailable

BOUNDARY = "----WebKitFormBoundaryAbCdEfGh"
VIDEO = 'name="video"; filename="dance.mp4"'


class Trickle:
    """A stream that gives at most `step` bytes a read, as a slow line does."""

    def __init__(self, content, step):
        self._file, self._step = BytesIO(content), step

    def read(self, size):
        return self._file.read(min(size, self._step))

    def readline(self, size):
        raise AssertionError("a body is no text")


def part(disposition, content=b"", *headers):
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def form(*parts, boundary=BOUNDARY, preamble=b"", epilogue=b"\r\n"):
    line = b"--" + boundary.encode()
    return preamble + b"".join(line + b"\r\n" + p + b"\r\n" for p in parts) + line + b"--" + epilogue


def posted(body, *, step=1 << 20, length=None, content_type=None, stream=None, boundary=BOUNDARY):
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type or f"multipart/form-data; boundary={boundary}",
            "CONTENT_LENGTH": str(len(body) if length is None else length),
            "wsgi.input": stream or Trickle(body, step),
        }
    )


@pytest.fixture
def receive(tmp_path):
    """Gives a request our handler; every request is closed, and then no file may be left."""
    requests = []

    def prepare(body, *, max_bytes=1 << 30, block_bytes=1 << 20, **how):
        request = posted(body, **how)
        handler = VideoUploadHandler(request, folder=tmp_path / "incoming", max_bytes=max_bytes)
        handler.chunk_size = block_bytes
        request.upload_handlers = [handler]
        requests.append(request)
        return request

    yield prepare
    for request in requests:
        request.close()
    assert left_in(tmp_path) == []


def left_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


# Whole forms


def test_a_video_arrives_whole_with_its_checksum(receive):
    content = os.urandom(3_500_000)
    request = receive(form(part('name="name"', b"Plie"), part(VIDEO, content, "Content-Type: video/mp4")))
    video = request.FILES["video"]
    assert video.path.read_bytes() == video.read() == content
    assert (video.name, video.size, video.content_type) == ("dance.mp4", len(content), "video/mp4")
    assert video.checksum_sha256 == hashlib.sha256(content).hexdigest()
    assert request.POST.dict() == {"name": "Plie"}


def test_the_file_is_closed_to_other_accounts(receive):
    assert stat.S_IMODE(receive(form(part(VIDEO, b"x"))).FILES["video"].path.stat().st_mode) & 0o137 == 0


def test_fields_before_and_after_the_file_and_repeated_ones_are_read(receive):
    request = receive(form(part('name="a"', b"1"), part(VIDEO, b"x"), part('name="a"', b"2"), part('name="b"')))
    assert request.POST.getlist("a") == ["1", "2"]
    assert request.POST["b"] == ""
    assert request.FILES["video"].size == 1


def test_what_was_posted_cannot_be_changed(receive):
    with pytest.raises(AttributeError, match="immutable"):
        receive(form(part('name="a"', b"1"))).POST["a"] = "2"


def test_preamble_epilogue_and_padding_are_no_content(receive):
    body = form(part(VIDEO, b"x"), preamble=b"This is\r\n--not it\r\n", epilogue=b"\r\nthe end")
    body = body.replace(b"GhX\r\n".replace(b"X", b""), b"Gh \t\r\n", 1)
    assert receive(body).FILES["video"].read() == b"x"


def test_an_input_in_which_nothing_was_chosen_is_no_file(receive):
    request = receive(form(part('name="video"; filename=""', b"", "Content-Type: application/octet-stream")))
    assert list(request.FILES) == []


def test_a_chosen_empty_file_is_a_file_of_no_bytes(receive):
    assert receive(form(part(VIDEO))).FILES["video"].size == 0


def test_fields_are_read_in_the_charset_of_the_request(receive):
    body = form(part('name="a"', "pli\xe9".encode("latin-1")))
    request = receive(body, content_type=f"multipart/form-data; charset=iso-8859-1; boundary={BOUNDARY}")
    assert request.POST["a"] == "pli\xe9"


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ('filename="a \\"b\\"; c.mp4"', 'a "b"; c.mp4'),
        ("filename=bare.mp4", "bare.mp4"),
        ("filename=\"x.mp4\"; filename*=UTF-8''%E2%82%AC%20rates.mp4", "€ rates.mp4"),
        ('filename="плие.mp4"', "плие.mp4"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\films\\\\x.mp4"', "x.mp4"),
        ('filename=".."', "video"),
    ],
)
def test_file_names_are_read_in_every_spelling(receive, parameter, name):
    assert receive(form(part(f'name="video"; {parameter}', b"x"))).FILES["video"].name == name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("a\0b\r\n.mp4", "ab.mp4"),
        ("\u202egpj.mp4", "gpj.mp4"),
        ("\u2066x\u2069\u200f.mp4", "x.mp4"),
        ("-rf", "-rf"),
        ("", "video"),
        ("a\\b/", "video"),
        ("x" * 300 + ".mp4", "x" * 116 + ".mp4"),
        ("x" * 300, "x" * 120),
        ("a  b.mp4", "a b.mp4"),
    ],
)
def test_a_name_is_cleaned_for_showing(given_name, shown):
    assert display_name(given_name) == shown


# To the disk while it comes (see the Note in core.received)


def test_a_long_video_is_sent_to_the_disk_while_it_comes_each_byte_once(receive, monkeypatch):
    content, asked, advise = os.urandom(21 << 20), [], os.posix_fadvise

    def recorded(descriptor, begin, length, advice):
        asked.append((begin, length, advice))
        advise(descriptor, begin, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", recorded)
    video = receive(form(part(VIDEO, content))).FILES["video"]
    assert video.checksum_sha256 == hashlib.sha256(video.path.read_bytes()).hexdigest()
    assert video.checksum_sha256 == hashlib.sha256(content).hexdigest()
    ends = [begin + length for begin, length, _ in asked]
    assert [begin for begin, _, _ in asked] == [0, *ends[:-1]]
    assert len(content) - ends[-1] < WRITE_BACK_BYTES
    assert {advice for _, _, advice in asked} == {os.POSIX_FADV_DONTNEED}


def test_a_long_video_arrives_whole_where_the_system_cannot_be_advised(receive, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise")
    content = os.urandom(9 << 20)
    assert receive(form(part(VIDEO, content))).FILES["video"].read() == content


# Against Django's own parser


@given(
    fields=st.lists(
        st.tuples(st.sampled_from(["a", "b", "name"]), st.text(st.characters(codec="utf-8"), max_size=40)),
        max_size=4,
    ),
    content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"x", b"\r\n--", b"----WebKit", b"\0"])).map(b"".join),
    place=st.integers(0, 4),
    boundary=st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70).filter(lambda b: b[-1] not in " '"),
    step=st.integers(1, 80),
    block_bytes=st.sampled_from([9_000, 1 << 20]),
)
def test_it_reads_what_djangos_parser_reads(tmp_path_factory, fields, content, place, boundary, step, block_bytes):
    content_type = f'multipart/form-data; boundary="{boundary}"'
    parts = [part(f'name="{name}"', value.encode()) for name, value in fields]
    parts.insert(min(place, len(parts)), part(VIDEO, content, "Content-Type: video/mp4"))
    if any(f"--{boundary}".encode() in p for p in parts):
        return  # a client must choose another boundary
    body = form(*parts, boundary=boundary)
    folder = tmp_path_factory.mktemp("incoming")
    theirs, ours = (posted(body, step=step, content_type=content_type) for _ in range(2))
    theirs.upload_handlers = [TemporaryFileUploadHandler(theirs)]
    handler = VideoUploadHandler(ours, folder=folder, max_bytes=1 << 30)
    handler.chunk_size = block_bytes
    ours.upload_handlers = [handler]
    assert ours.POST == theirs.POST
    assert ours.FILES["video"].read() == theirs.FILES["video"].read() == content
    ours.close()
    theirs.close()
    assert left_in(folder) == []


@pytest.mark.parametrize("step", range(1, 64))
def test_a_boundary_may_be_split_anywhere(receive, step):
    request = receive(
        form(part(VIDEO, b"ab\r\n------WebKitFormBoundaryAbCdEf\r\r\n-"), part('name="a"', b"1")), step=step
    )
    assert request.FILES["video"].read() == b"ab\r\n------WebKitFormBoundaryAbCdEf\r\r\n-"
    assert request.POST["a"] == "1"


@pytest.mark.parametrize("shift", range(60))
def test_a_boundary_may_lie_across_the_end_of_our_block(receive, shift):
    content = b"\r" * (20_000 - shift)
    assert receive(form(part(VIDEO, content)), block_bytes=10_000).FILES["video"].read() == content


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_a_block_stays_as_it_is_until_the_next_one_has_come(step):
    content = os.urandom(500) + b"\r\n--\r\n--b\r\r\r" * 20 + os.urandom(500)
    body = Trickle(content + b"\r\n--boundary", step)

    def source(view):
        block = body.read(len(view))
        view[: len(block)] = block
        return len(block)

    before, copies = memoryview(b""), [b""]
    for block in BodyReader(source, len(content) + 12, block_bytes=64).blocks_until(b"\r\n--boundary"):
        assert before == copies[-1]
        before = block
        copies.append(bytes(block))
    assert b"".join(copies) == b"\r\n" + content


# What is refused, and leaves nothing


WHOLE = form(part('name="a"', b"1"), part(VIDEO, b"moving pictures"), part('name="b"', b"2"))


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


# The end of a request


def test_the_file_goes_with_the_request(receive):
    request = receive(form(part(VIDEO, b"x")))
    path = request.FILES["video"].path
    request.close()
    request.close()
    assert not path.exists()


def test_a_forgotten_file_goes_too(receive, tmp_path):
    request = receive(form(part(VIDEO, b"x")))
    assert request.FILES["video"].path.exists()
    del request._files
    gc.collect()
    assert left_in(tmp_path) == []


def test_a_kept_file_stays(receive):
    request = receive(form(part(VIDEO, b"x")))
    kept = request.FILES["video"].keep()
    request.close()
    assert kept.read_bytes() == b"x"
    kept.unlink()


def test_a_file_that_moved_is_left_alone(receive, tmp_path):
    request = receive(form(part(VIDEO, b"x")))
    moved = request.FILES["video"].path.rename(tmp_path / "adopted")
    request.close()
    assert moved.read_bytes() == b"x"
    moved.unlink()


# Under gunicorn (see Note [Past gunicorn's buffers])


@pytest.fixture
def line():
    near, far = socket.socketpair()
    yield near, far
    near.close()
    far.close()


def gunicorn_body(near, length, early=b""):
    unreader = SocketUnreader(near)
    unreader.unread(early)
    return Body(LengthReader(unreader, length))


@pytest.mark.parametrize("early", [0, 1, 100, 1_000_000, 3_000_500])
def test_under_gunicorn_the_body_comes_from_the_socket(receive, line, early):
    content = os.urandom(3_000_000)
    body = form(part(VIDEO, content), part('name="a"', b"1"))
    Thread(target=line[1].sendall, args=(body[early:],)).start()
    stream = gunicorn_body(line[0], len(body), body[:early])
    request = receive(body, stream=stream)
    assert request.FILES["video"].checksum_sha256 == hashlib.sha256(content).hexdigest()
    assert request.POST["a"] == "1"
    assert request.read() == b""
    assert (stream.reader.length, stream.failed) == (0, False)


def test_under_gunicorn_the_next_request_is_left_in_its_buffer(receive, line):
    stream = gunicorn_body(line[0], len(WHOLE), WHOLE + b"GET / HTTP/1.1\r\n")
    assert receive(WHOLE, stream=stream).FILES["video"].read() == b"moving pictures"
    assert stream.reader.unreader.take_buffered() == b"GET / HTTP/1.1\r\n"


def test_under_gunicorn_a_body_cut_short_is_malformed_and_ends_the_connection(receive, line):
    line[1].sendall(WHOLE[:-20])
    line[1].shutdown(socket.SHUT_WR)
    stream = gunicorn_body(line[0], len(WHOLE))
    with pytest.raises(MultiPartParserError, match="shorter"):
        _ = receive(WHOLE, stream=stream).FILES
    assert stream.failed
