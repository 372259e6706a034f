"""Files over HTTP as video players ask for them: ranges, validators, HEAD (RFC 9110 sections 13 and 14).

# Note [One range or the whole]
Players ask for one range at a time. Several ranges, a malformed header or an `If-Range` that does not match
are answered with the whole file, which RFC 9110 always allows; only a range that lies wholly behind the end
is 416. The file goes out through the server's `wsgi.file_wrapper`, so gunicorn sends it with sendfile(2);
every other server reads the same slice in blocks.
"""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags, quote_etag

from core.storage.base import ObjectNotFound

logger = logging.getLogger(__name__)

# A video opened by its own address is a document with one <video> in it, which asks for the bytes again: in Chromium
# with the cookie only from the site's own origin, not from a sandbox's opaque one. Scripts and forms stay forbidden.
MEDIA_POLICY = "sandbox allow-same-origin; default-src 'none'; media-src 'self'"
_BLOCK_BYTES = 64 * 1024
_SINGLE_RANGE = re.compile(r"(?i:bytes)=[ \t,]*([0-9]*)-([0-9]*)[ \t,]*", re.ASCII)
# More digits than any file's size has; Python itself refuses to convert some thousands.
_MAX_DIGITS = 18


def ranged_response(
    request: HttpRequest,
    *,
    path: Path | Callable[[], BinaryIO],
    size_bytes: int,
    mime_type: str,
    etag: str,
    disposition: str = "inline",
    cache_control: str = "private, max-age=86400",
) -> HttpResponseBase:
    """Return 200, 206, 304, 405, 412 or 416 for `request`; the file is opened only when its bytes are sent.

    `path` may be a callable that opens the bytes, for files that are not on this disk. `etag` is strong;
    quotes are added when missing. Raises Http404 when the file is gone, and logs it: the row says that it is
    there.
    """
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    etag = quote_etag(etag)
    chosen = _chosen(request, size_bytes, etag)
    status = _status(request, etag, chosen)
    if status in {200, 206}:
        first, end = chosen or (0, size_bytes)
        response: HttpResponseBase = _sent(request, path, first, end, status)
        response["Content-Type"] = mime_type
        response["Content-Length"] = end - first
        response["Content-Disposition"] = disposition
    else:
        response = _Nothing(status)
    if status == 206:
        response["Content-Range"] = f"bytes {first}-{end - 1}/{size_bytes}"
    if status == 416:
        response["Content-Range"] = f"bytes */{size_bytes}"
    response["ETag"] = etag
    response["Cache-Control"] = cache_control if status < 400 else "no-store"
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = MEDIA_POLICY
    return response


def _sent(
    request: HttpRequest, path: Path | Callable[[], BinaryIO], first: int, end: int, status: int
) -> HttpResponseBase:
    """Return the answer that carries the bytes, or for HEAD the same without them."""
    return _Nothing(status) if request.method == "HEAD" else _SlicedFile(_opened(path), first, end, status)


def _status(request: HttpRequest, etag: str, chosen: tuple[int, int] | None) -> int:
    """Return the status, the conditions asked in the order of RFC 9110 section 13.2.2."""
    if_match = request.headers.get("If-Match")
    if if_match is not None and not _listed(if_match, etag, weak=False):
        return 412
    if _listed(request.headers.get("If-None-Match", ""), etag, weak=True):
        return 304
    if chosen is None:
        return 200
    return 206 if chosen[0] < chosen[1] else 416


def _listed(header: str, etag: str, *, weak: bool) -> bool:
    """Return whether `etag` is among a condition's tags; the weak comparison ignores W/."""
    tags = parse_etags(header)
    return "*" in tags or etag in tags or (weak and f"W/{etag}" in tags)


def _chosen(request: HttpRequest, size_bytes: int, etag: str) -> tuple[int, int] | None:
    """Return the asked range as (first, end), empty when it cannot be satisfied; None for the whole file."""
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    match = _SINGLE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not match or not any(match.groups()):
        return None
    first, last = _number(match.group(1)), _number(match.group(2))
    if not match.group(1):  # the last so many bytes; of an empty file Content-Range could not name them
        return (max(0, size_bytes - last), size_bytes) if size_bytes or not last else None
    if not match.group(2):
        return first, size_bytes
    return (first, min(last + 1, size_bytes)) if first <= last else None


def _number(digits: str) -> int:
    """Return the number, 0 for no digits, or one larger than any file for too many."""
    digits = digits.lstrip("0")
    return 10**_MAX_DIGITS if len(digits) > _MAX_DIGITS else int(digits or 0)


def _opened(path: Path | Callable[[], BinaryIO]) -> BinaryIO:
    try:
        return path.open("rb", buffering=0) if isinstance(path, Path) else path()
    except (FileNotFoundError, ObjectNotFound) as error:
        logger.exception("Stored object missing")
        raise Http404 from error


class FileSlice:
    """The bytes first … end - 1 of a file; closing it closes the file.

    A server that calls `fileno()` finds the descriptor standing at `first` and stops by Content-Length;
    `seek()` takes positions of the whole file, because socket.sendfile() counts in those.
    """

    def __init__(self, file: BinaryIO, first: int, end: int):
        self._file = file
        self._left = end - first
        if first and file.seekable():
            file.seek(first)
        while not file.seekable() and first and (skipped := file.read(min(first, _BLOCK_BYTES))):
            first -= len(skipped)

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes of what is left of the slice, b"" at its end."""
        block = self._file.read(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(block)
        return block

    def seek(self, position: int) -> None:
        """Move the file below; for servers only, the slice itself is read from start to end."""
        self._file.seek(position)

    def fileno(self) -> int:
        """Return the file's descriptor; raises OSError when it has none."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _SlicedFile(FileResponse):
    """Django's streamed file, with our headers instead of those it guesses from a name and a size."""

    block_size = _BLOCK_BYTES

    def __init__(self, file: BinaryIO, first: int, end: int, status: int):
        super().__init__(FileSlice(file, first, end), status=status)

    def set_headers(self, filelike) -> None:
        """Guess nothing: `ranged_response` sets every header."""


class _Nothing(HttpResponse):
    """An answer without a body, hence without a type of its own."""

    def __init__(self, status: int):
        super().__init__(status=status)
        del self["Content-Type"]
