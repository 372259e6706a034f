"""The bytes of a health request and of its answer, for a server that reads them itself (core/gunicorn_worker.py)."""

import re
import time
from functools import lru_cache
from typing import NamedTuple, Self

from gunicorn.util import http_date

from core.health import HEALTH_PATH

TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_HEAD = re.compile(
    rb"([A-Z]{3,20}) "
    + HEALTH_PATH.encode()
    + rb"(?:\?[!-~]*)? HTTP/1\.([01])\r\n((?:[!#-'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n){0,64})\r\n"
)
_HEAD_BYTES = 4094  # gunicorn's own limit of one line, so that every refusal of a long line stays its own
_BODY = re.compile(rb"^(?:content-length:(?![ \t]*0[ \t]*\r)|transfer-encoding:|expect:)", re.I | re.M)
_CONNECTION = re.compile(rb"^connection:(.*)\r$", re.I | re.M)


class HealthHead(NamedTuple):
    """A request for health that has no body; `length` is its bytes, `keeps` whether the client wants to ask more."""

    method: str
    minor_version: str
    keeps: bool
    length: int

    @classmethod
    def read(cls, received: bytes) -> Self | None:
        """Return the request these bytes start with; None when it is another one, or in any way doubtful."""
        found = _HEAD.match(received, 0, _HEAD_BYTES)
        if not found or _BODY.search(found[3]):
            return None
        wishes = b",".join(_CONNECTION.findall(found[3])).lower()
        keeps = b"close" not in wishes if found[2] == b"1" else b"keep-alive" in wishes
        return cls(found[1].decode(), found[2].decode(), keeps, found.end())


def written(asked: HealthHead, status: str, headers: list[tuple[str, str]], body: bytes, kept: bool) -> bytes:
    """Return an answer as gunicorn writes it, with the headers every answer of it has."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = (
        f"HTTP/1.{asked.minor_version} {status}\r\nServer: gunicorn\r\nDate: {_date(int(time.time()))}\r\n"
        f"Connection: {'keep-alive' if kept else 'close'}\r\n{lines}\r\n"
    )
    return head.encode() + (b"" if asked.method == "HEAD" else body)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """Return the header's value; making it anew costs as much as the rest of an answer."""
    return http_date(second)
