"""Under gunicorn (see Note [Past gunicorn's buffers])."""

import hashlib
import os
import socket
from threading import Thread

import pytest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from core.multipart import MultiPartParserError
from tests.unit.multipart.forms import VIDEO, WHOLE, form, part


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
