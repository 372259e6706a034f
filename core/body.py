"""The bytes of a request's body, read in large blocks into two buffers that are used again and again.

# Note [Past gunicorn's buffers]
Between a socket and `request.read()` gunicorn keeps two growing buffers, so every byte of a video is copied
four times and every block is new memory. Under gunicorn, and only for a plain body of known length, the
bytes that came with the headers are taken from its buffer and the rest is received with `recv_into` straight
from `environ["gunicorn.socket"]`, its count of what is left kept right; a test pins the attributes used.
Every other server (runserver, the test client, a future gunicorn) goes through `read()`, with the same
result.

# Note [A whole block in one call]
The kernel fills a block by itself (MSG_WAITALL), which for a GiB is 1,024 calls instead of 16,384, or twice that with
a time-out of Python's own, which asks poll(2) before each. So the time-out is the socket's: when nothing at all came
for STALL_S, the call ends without a byte, and the sender has lost the connection. A slow line has not stalled: what
has come is returned by then, and the rest is asked for.
"""

import os
import socket
import struct
from collections.abc import Callable, Iterator

from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

STALL_S = 30
PASSED_OVER_BYTES = 64 * 1024  # what gunicorn reads of a body that nobody read, to get to the next request
MIN_PIPE_BYTES = 4096  # what any empty pipe takes without waiting
NO_TIMEOUT = struct.pack("ll", 0, 0)

# Reads into the view, at least one byte unless the body is cut short; returns how many.
Source = Callable[[memoryview], int]


class BodyReader:
    """Splits a body of exactly `length` bytes at delimiters; MultiPartParserError when fewer come.

    What it yields is a view of a buffer: valid until the second block after it is asked for.
    """

    def __init__(self, source: Source, length: int, *, block_bytes: int):
        self._source = source
        self._left = length
        self._buffer, self._spare = bytearray(block_bytes), bytearray(block_bytes)
        # A first boundary may open the body, without the line end that belongs to every later one.
        self._buffer[:2] = b"\r\n"
        self._start, self._end = 0, 2

    def blocks_until(self, delimiter: bytes) -> Iterator[memoryview]:
        """Yield what comes before `delimiter`, and drop it (see Note [Our own multipart reader])."""
        while (at := self._buffer.find(delimiter, self._start, self._end)) < 0:
            end = self._end - self._begun(delimiter)
            if end > self._start:
                yield memoryview(self._buffer)[self._start : end]
            self._start = end
            self._more()
        if at > self._start:
            yield memoryview(self._buffer)[self._start : at]
        self._start = at + len(delimiter)

    def take_until(self, marker: bytes, limit: int) -> bytes:
        """Return the bytes before `marker`, at most `limit`, and drop the marker."""
        while (at := self._buffer.find(marker, self._start, self._end)) < 0:
            if self._end - self._start > limit:
                break
            self._more()
        if not 0 <= at - self._start <= limit:
            raise MultiPartParserError(f"The headers of a part are longer than {limit} bytes.")
        taken = bytes(self._buffer[self._start : at])
        self._start = at + len(marker)
        return taken

    def starts_with(self, marker: bytes) -> bool:
        """Return whether `marker` comes next; nothing is dropped."""
        while self._end - self._start < len(marker):
            self._more()
        return self._buffer.startswith(marker, self._start)

    def drop_rest(self) -> None:
        """Read to the announced end, so that a body cut short behind its last boundary is noticed, too."""
        while self._left:
            self._start = self._end
            self._more()

    def _begun(self, delimiter: bytes) -> int:
        """Return how many bytes at the end may be the start of a delimiter that the next block completes."""
        at = self._buffer.rfind(b"\r", max(self._start, self._end - len(delimiter) + 1), self._end)
        return self._end - at if at >= 0 and delimiter.startswith(self._buffer[at : self._end]) else 0

    def _more(self) -> None:
        """Append bytes. Once something was taken from a buffer, go on in the other; the unread moves there.

        So a block that was yielded is overwritten only after the one that follows it was yielded, too.
        """
        if not self._left:
            raise MultiPartParserError("The body ends without its closing boundary.")
        if self._start:
            unread = self._end - self._start
            self._spare[:unread] = memoryview(self._buffer)[self._start : self._end]
            self._buffer, self._spare = self._spare, self._buffer
            self._start, self._end = 0, unread
        received = self._source(memoryview(self._buffer)[self._end : self._end + self._left])
        if not received:
            raise MultiPartParserError("The body is shorter than its Content-Length says.")
        self._left -= received
        self._end += received


def body_source(stream: HttpRequest, environ: dict, length: int) -> Source:
    """Return the fastest way to read `stream` from its start (see Note [Past gunicorn's buffers])."""
    body = environ.get("wsgi.input")
    direct = (
        isinstance(body, GunicornBody)
        and type(body.reader) is LengthReader
        and type(body.reader.unreader) is SocketUnreader
        and type(body.reader.unreader.sock) is socket.socket  # TLS has no calls that wait for all
        and body.reader.length == length
        and body.buf.tell() == 0
    )
    if not direct:
        return _StreamSource(stream)
    stream.read(0)  # so that Django knows the body as read
    return _SocketSource(body)


def leave_unread(environ: dict) -> None:
    """Let the connection end with the answer instead of waiting for a body that nobody wants."""
    body = environ.get("wsgi.input")
    if isinstance(body, GunicornBody):
        body.failed = True


def is_left_unread(body: GunicornBody) -> bool:
    """Return whether the connection ends with the answer: what is left is unwanted, or too much to read past it."""
    return body.failed or getattr(body.reader, "length", 0) > PASSED_OVER_BYTES


class _StreamSource:
    """Any object with `read()`."""

    def __init__(self, stream: HttpRequest):
        self._read = stream.read

    def __call__(self, view: memoryview) -> int:
        block = self._read(len(view))
        view[: len(block)] = block
        return len(block)


class _SocketSource:
    """The socket below gunicorn's body."""

    def __init__(self, body: GunicornBody):
        self._body = body
        self._reader = body.reader
        self._socket = body.reader.unreader.sock
        early = self._reader.unreader.take_buffered()
        self._reader.unreader.unread(early[self._reader.length :])  # the next request, sent without waiting
        self._early = memoryview(early)[: self._reader.length]
        self._reader.length -= len(self._early)

    def __call__(self, view: memoryview) -> int:
        if self._early:
            size = min(len(self._early), len(view))
            view[:size] = self._early[:size]
            self._early = self._early[size:]
            return size
        return self._fill(view)

    def to_pipe(self, pipe: int, size: int) -> int:
        """Move at most `size` bytes into an empty pipe, at least one unless the body is cut short; return how many.

        Linux only. They never come to this process: half the work of receiving into memory and writing from there.
        """
        if self._early:
            written = os.write(pipe, self._early[: min(size, MIN_PIPE_BYTES)])
            self._early = self._early[written:]
            return written
        moved = 0
        try:
            self._limit_silence()
            moved = os.splice(self._socket.fileno(), pipe, size)
        except OSError as error:
            raise UnreadablePostError(*error.args) from error
        finally:
            self._count(moved, is_whole=moved > 0)
        return moved

    def _fill(self, view: memoryview) -> int:
        """Receive until the view is full (Note [A whole block in one call])."""
        filled = 0
        try:
            self._limit_silence()
            while filled < len(view) and (received := self._socket.recv_into(view[filled:], 0, socket.MSG_WAITALL)):
                filled += received
        except OSError as error:
            raise UnreadablePostError(*error.args) from error
        finally:
            self._count(filled, is_whole=filled == len(view))
        return filled

    def _limit_silence(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALL_S, 0))

    def _count(self, received: int, *, is_whole: bool) -> None:
        """Keep gunicorn's count right, and hand the connection back as it was once the body is read."""
        self._reader.length -= received
        self._body.failed = not is_whole  # gunicorn must not read another request from here
        if not self._reader.length:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, NO_TIMEOUT)
