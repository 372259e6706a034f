"""One HTTP request, for probes: no redirect is followed, and it ends in time whatever the server does.

# Note [A deadline, not a time-out]
A socket's time-out counts each read, so a server that sends a byte now and then holds its caller forever. Here a
timer shuts the connection down when the time for the whole request is over.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.operations.findings import CouldNotTell

BODY_LIMIT = 1024 * 1024
AGENT = "practika-operations"


class BadAddress(Exception):
    """The URL is not one that can be asked; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case, the body is cut after BODY_LIMIT bytes."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def mime_type(self) -> str:
        """Return the Content-Type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object, empty when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def fetch(
    url: str,
    *,
    timeout_s: float,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Return the answer, a redirect as it is; raises BadAddress, or CouldNotTell when no whole answer came in time."""
    secure, host, port, target = read_address(url)
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout_s)
    started = time.monotonic()
    over = threading.Event()
    timer: threading.Timer | None = None
    try:
        connection.connect()
        # Kept by us: http.client forgets its socket as soon as it knows that the server will close it.
        left_s = max(0.0, timeout_s - (time.monotonic() - started))
        timer = threading.Timer(left_s, _end, (connection.sock, over))
        timer.daemon = True
        timer.start()
        connection.request(method, target, body=body, headers={"User-Agent": AGENT, **(headers or {})})
        response = connection.getresponse()
        content = response.read(BODY_LIMIT)
        fields = {name.lower(): value for name, value in response.getheaders()}
        if over.is_set():
            raise TimeoutError
        return Answer(response.status, fields, content, time.monotonic() - started)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CouldNotTell(_reason(error, over.is_set(), timeout_s)) from error
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def read_address(url: str) -> tuple[bool, str, int, str]:
    """Return whether it is https, host, port, and request target; raises BadAddress."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{url!r} is no address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or not url.isascii():
        raise BadAddress(f"{url!r} is no address. Write it as https://host or http://host:port.")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return secure, parts.hostname, port or (443 if secure else 80), target


def _end(opened: socket.socket, over: threading.Event) -> None:
    over.set()
    with contextlib.suppress(OSError):  # it may have ended by itself just now
        opened.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception, over: bool, timeout_s: float) -> str:
    if over or isinstance(error, TimeoutError):
        return f"no whole answer within {timeout_s:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    return f"no answer: {type(error).__name__} {error}".strip()
