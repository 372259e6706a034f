"""Somebody with a browser, as a proxy in front of the site passes them on: cookies, one kept-alive connection."""

import http.client
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

BOUNDARY = "practika-benchmark"
UPLOAD_PATH = "/core/api/upload-video/"
PROXIED = {"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}


class Refused(Exception):
    """The server answered with a status that was not expected."""


class Visitor:
    """Sends requests to a port of the loopback; one visitor must not be used by two threads."""

    def __init__(self, port: int):
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._cookies: dict[str, str] = {}

    def twin(self) -> Self:
        """Return a visitor with the same session and a connection of their own."""
        other = type(self)(self._port)
        other._cookies = dict(self._cookies)
        return other

    def get(self, path: str) -> float:
        """Ask for a page and return the milliseconds until all of it was here; Refused when it is not a 200."""
        started = time.perf_counter()
        self._ask("GET", path, expected=200)
        return (time.perf_counter() - started) * 1000

    def log_in(self, email: str, password: str) -> None:
        """Log in through the form, as people do."""
        path = "/accounts/login/"
        self._ask("GET", path, expected=200)
        fields = {"login": email, "password": password, "csrfmiddlewaretoken": self._cookies["csrftoken"]}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://localhost{path}"}
        self._ask("POST", path, expected=302, body=urlencode(fields).encode(), headers=headers)

    def upload(self, video: Path) -> float:
        """Send the video in one multipart form, as a browser does; return the seconds until the answer.

        The connection is a new one, as for any upload after a while.
        """
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\nTry\r\n--{BOUNDARY}\r\n'
            'Content-Disposition: form-data; name="video"; filename="video.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
        ).encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(head) + video.stat().st_size + len(tail)),
            "X-CSRFToken": self._cookies.get("csrftoken", ""),
            "Referer": "https://localhost/",
        }
        self._connection.close()
        started = time.perf_counter()
        with video.open("rb") as file:
            self._begin("POST", UPLOAD_PATH, headers, head)
            self._connection.sock.sendfile(file)
            self._connection.sock.sendall(tail)
            self._answer(expected=201)
        return time.perf_counter() - started

    def _ask(
        self, method: str, path: str, *, expected: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        lengths = {"Content-Length": str(len(body))} if method == "POST" else {}
        self._begin(method, path, {**(headers or {}), **lengths}, body)
        self._answer(expected=expected)

    def _begin(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self._connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        for name, value in {**PROXIED, **headers, "Cookie": cookies}.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(body or None)

    def _answer(self, *, expected: int) -> None:
        answer = self._connection.getresponse()
        body = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if answer.status != expected:
            raise Refused(f"{answer.status} instead of {expected}: {body[:500]!r}")
