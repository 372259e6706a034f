"""Ranges, validators and HEAD (RFC 9110 sections 13 and 14), and the slice a server sends."""

import io
import os
import socket
from wsgiref.util import FileWrapper

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import Http404
from django.test import RequestFactory

from core.ranges import FileSlice, ranged_response
from core.storage.base import ObjectNotFound

pytestmark = pytest.mark.django_db  # closing an answer lets Django look after its connections

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "video"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["path", "opener", "opener without seeking"])
def source(request, video):
    class Forward(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *position):
            raise io.UnsupportedOperation

    return {
        "path": video,
        "opener": lambda: video.open("rb"),
        "opener without seeking": lambda: Forward(CONTENT),
    }[request.param]


def ask(source, *, method="get", size_bytes=SIZE, etag="abc", **headers):
    request = getattr(RequestFactory(), method)("/", headers={k.replace("_", "-"): v for k, v in headers.items()})
    return ranged_response(request, path=source, size_bytes=size_bytes, mime_type="video/mp4", etag=etag)


def body(response):
    content = b"".join(response)
    response.close()
    return content


def test_without_a_range_the_whole_file_comes(source):
    response = ask(source)
    assert response.status_code == 200
    assert body(response) == CONTENT
    assert dict(response.items()) == {
        "Content-Type": "video/mp4",
        "Content-Length": str(SIZE),
        "Content-Disposition": "inline",
        "ETag": '"abc"',
        "Cache-Control": "private, max-age=86400",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox allow-same-origin; default-src 'none'; media-src 'self'",
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-1", 0, 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=1000-100999", 1000, 100_999),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=5-{SIZE}", 5, SIZE - 1),
        ("bytes=5-999999999999999999999", 5, SIZE - 1),
        ("bytes=5-" + "9" * 8000, 5, SIZE - 1),
        ("bytes=" + "0" * 8000 + "5-6", 5, 6),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-100000", SIZE - 100_000, SIZE - 1),
        (f"bytes=-{SIZE + 1}", 0, SIZE - 1),
        ("bytes=-" + "9" * 8000, 0, SIZE - 1),
        ("BYTES=0-1", 0, 1),
        ("bytes= 0-1", 0, 1),
        ("bytes=0-1, ,", 0, 1),
    ],
)
def test_one_range_is_a_part(source, asked, first, last):
    response = ask(source, range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-0,2-3",
        "bytes=5-2",
        "bytes=-",
        "bytes=",
        "bytes",
        "",
        "bytes=a-b",
        "bytes=1",
        "bytes=--1",
        "bytes=-1-2",
        "bytes=0x1-2",
        "bytes=1e3-",
        "bytes=1 - 2",
        "bytes=+1-2",
        "bytes=１-２",
        "items=0-1",
        "bytes:0-1",
    ],
)
def test_several_ranges_and_malformed_ones_give_the_whole(video, asked):
    request = RequestFactory().get("/", HTTP_RANGE=asked)
    response = ranged_response(request, path=video, size_bytes=SIZE, mime_type="video/mp4", etag="abc")
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert "Content-Range" not in response


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE}", "bytes=-0", "bytes=" + "9" * 8000 + "-"])
def test_a_range_behind_the_end_cannot_be_satisfied(video, asked):
    response = ask(video, range=asked)
    assert (response.status_code, response.content) == (416, b"")
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("asked", "status"), [("bytes=0-", 416), ("bytes=-0", 416), ("bytes=-5", 200)])
def test_an_empty_file_has_no_ranges(tmp_path, asked, status):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert ask(path, size_bytes=0, range=asked).status_code == status


def test_head_tells_the_whole_and_ignores_a_range():
    def never():
        raise AssertionError("HEAD opened the file")

    response = ask(never, method="head", range="bytes=0-1")
    assert (response.status_code, response["Content-Length"], response.content) == (200, str(SIZE), b"")
    assert "Content-Range" not in response
    assert response["Content-Type"] == "video/mp4"


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_other_methods_are_not_allowed(video, method):
    response = ask(video, method=method)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        ('"abc"', 206),
        ('"other"', 200),
        ('W/"abc"', 200),
        ("abc", 200),
        ("Sat, 29 Oct 1994 19:43:31 GMT", 200),
    ],
)
def test_a_range_holds_only_for_the_file_that_if_range_names(video, if_range, status):
    response = ask(video, range="bytes=0-1", if_range=if_range)
    assert response.status_code == status
    assert body(response) == (CONTENT[:2] if status == 206 else CONTENT)


def test_if_range_that_does_not_match_saves_from_416(video):
    assert ask(video, range=f"bytes={SIZE}-", if_range='"other"').status_code == 200


@pytest.mark.parametrize("known", ['"abc"', 'W/"abc"', '"x", "abc"', "*"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_what_is_known_is_not_sent_again(video, known, method):
    response = ask(video, method=method, if_none_match=known, range="bytes=0-1")
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == '"abc"'
    assert response["Cache-Control"] == "private, max-age=86400"
    assert "Content-Type" not in response
    assert "Content-Length" not in response


def test_what_is_not_known_is_sent(video):
    assert body(ask(video, if_none_match='"other"')) == CONTENT


@pytest.mark.parametrize(
    ("if_match", "status"), [('"abc"', 200), ("*", 200), ('"other"', 412), ('W/"abc"', 412), ("", 412)]
)
def test_if_match_is_asked_first(video, if_match, status):
    assert ask(video, if_match=if_match).status_code == status


def test_a_file_that_is_gone_is_not_found_and_logged(tmp_path, caplog):
    def absent():
        raise ObjectNotFound("videos/2025/03/x")

    for source in (tmp_path / "gone", absent):
        with pytest.raises(Http404):
            ask(source)
    assert [record.message for record in caplog.records if record.name == "core.ranges"] == [
        "Stored object missing",
        "Stored object missing",
    ]


def test_closing_the_answer_closes_the_file(video):
    file = video.open("rb")
    ask(lambda: file, range="bytes=5-9").close()
    assert file.closed


def test_the_wrapper_of_a_server_sends_the_slice_and_closes_the_file(video, monkeypatch):
    file = video.open("rb")
    answer = ask(lambda: file, range="bytes=1000-200999")
    monkeypatch.setattr(WSGIHandler, "load_middleware", lambda self: None)
    monkeypatch.setattr(WSGIHandler, "get_response", lambda self, request: answer)
    environ = RequestFactory().get("/").environ | {"wsgi.file_wrapper": FileWrapper}
    sent = WSGIHandler()(environ, lambda status, headers: None)
    assert isinstance(sent, FileWrapper)
    assert b"".join(sent) == CONTENT[1000:201_000]
    sent.close()
    assert file.closed


@pytest.mark.parametrize("first", [0, 1000])
def test_a_server_may_send_the_slice_by_its_descriptor(video, first):
    """As gunicorn does: the descriptor stands at the first byte, Content-Length says where to stop."""
    near, far = socket.socketpair()
    with near, far, video.open("rb", buffering=0) as file:
        part = FileSlice(file, first, first + 5000)
        offset = os.lseek(part.fileno(), 0, os.SEEK_CUR)
        assert offset == first
        near.sendfile(part, offset=offset, count=5000)
        near.shutdown(socket.SHUT_WR)
        with far.makefile("rb") as received:
            assert received.read() == CONTENT[first : first + 5000]


def test_a_slice_ends_where_it_ends(video):
    with video.open("rb") as file:
        part = FileSlice(file, 10, 20)
        assert (part.read(4), part.read(100), part.read(100), part.read()) == (
            CONTENT[10:14],
            CONTENT[14:20],
            b"",
            b"",
        )
