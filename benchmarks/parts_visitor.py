"""Somebody whose browser sends videos in parts, by the calls that the real one makes."""

import hashlib
import http.client
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from visitor import PROXIED, Refused, Visitor

PARALLEL = 4
TRIES = 60


class PartsVisitor(Visitor):
    """Somebody whose browser sends a video in parts; `app_bytes` counts what the bodies of parts brought to the app."""

    app_bytes = 0

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """Ask the API, again when it says so (an S3 server may take long to put parts together); return its JSON."""
        for _ in range(TRIES):
            answer, text = self._once(method, path, body)
            if answer.status != 503:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        if answer.status not in (200, 201):
            raise Refused(f"{answer.status}: {text[:500]!r}")
        return json.loads(text)

    def _once(self, method: str, path: str, body: dict | None) -> tuple[http.client.HTTPResponse, bytes]:
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        headers |= {"X-CSRFToken": self._cookies.get("csrftoken", ""), "Referer": "https://localhost/"}
        self._begin(method, path, headers, content)
        answer = self._connection.getresponse()
        return answer, answer.read()

    def send_parts(self, video: Path, classroom: str, *, parallel: int = PARALLEL) -> float:
        """Upload the video in parts, so many at a time; return the seconds until its completion was answered."""
        started = time.perf_counter()
        self.complete(self.send_but_the_end(video, classroom, parallel=parallel), video)
        return time.perf_counter() - started

    def can_have(self, path: str) -> bool:
        """Return whether the first bytes of a file are there for this visitor."""
        try:
            self._ask("GET", path, expected=206, headers={"Range": "bytes=0-99"})
        except Refused:
            return False
        return True

    def complete(self, upload: dict, video: Path) -> dict:
        """Complete an upload whose parts are all there; return what the API says of the upload."""
        return self.call("POST", upload["completion_url"], {"size_bytes": video.stat().st_size})

    def send_but_the_end(self, video: Path, classroom: str, *, parallel: int = PARALLEL) -> dict:
        """Upload the video in parts, so many at a time, but do not complete it; return the upload.

        The calls are those of the browser (static/js/lib/signatures.js): links for ever more parts in one call.
        """
        size = video.stat().st_size
        fields = {"client_token": os.urandom(16).hex(), "size_bytes": size, "classroom": classroom}
        upload = self.call("POST", "/core/api/uploads/", fields)
        wishes = wished_parts(video, size, upload)
        signed = [link for some in ever_more(wishes) for link in self.call("POST", upload["parts_url"], some)["parts"]]
        part = upload["part_size_bytes"]
        pieces = [Piece(link["url"], (link["number"] - 1) * part, wish["size_bytes"], link["headers"])
                  for link, wish in zip(signed, wishes, strict=True)]  # fmt: skip
        self.app_bytes += sum(piece.length for piece in pieces if piece.url.startswith("/"))
        put_all(pieces, video, self._port, parallel=parallel)
        return upload


def wished_parts(video: Path, size: int, upload: dict) -> list[dict]:
    """Return what is said of each part when it is signed; SHA-256 only when the storage wants it."""
    part = upload["part_size_bytes"]

    def wish(offset: int) -> dict:
        said = {"number": offset // part + 1, "size_bytes": min(part, size - offset)}
        return said | ({"sha256": sha256(video, offset, said["size_bytes"])} if upload["wants_part_sha256"] else {})

    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(wish, range(0, size, part)))


def sha256(video: Path, offset: int, length: int) -> str:
    """Return the SHA-256 of a piece of the file."""
    with video.open("rb") as file:
        file.seek(offset)
        return hashlib.sha256(file.read(length)).hexdigest()


def ever_more(wishes: list[dict]) -> Iterator[dict]:
    """Yield the bodies of the calls that sign them: 2 parts, then 8, then 32 at a time."""
    at, count = 0, 2
    while at < len(wishes):
        yield {"parts": wishes[at : at + count]}
        at, count = at + count, min(32, count * 4)


@dataclass(frozen=True)
class Piece:
    """Bytes of the video, and the request that brings them; a path alone is on the loopback's port."""

    url: str
    offset: int
    length: int
    headers: dict[str, str] = field(default_factory=dict)


def put_all(pieces: list[Piece], video: Path, port: int, *, parallel: int = PARALLEL) -> None:
    """PUT each piece of the file, so many at a time."""

    def lane(first: int) -> None:
        for piece in pieces[first::parallel]:
            put(piece, video, port)

    with ThreadPoolExecutor(parallel) as threads:
        list(threads.map(lane, range(parallel)))


def put(piece: Piece, video: Path, port: int) -> None:
    """PUT one piece over a connection of its own; raises Refused."""
    there = urlsplit(piece.url)
    line = http.client.HTTPConnection(there.hostname or "127.0.0.1", there.port or port, timeout=600)
    line.putrequest("PUT", f"{there.path}?{there.query}", skip_host=bool(not there.hostname))
    headers = piece.headers if there.hostname else PROXIED
    for name, value in {**headers, "Content-Length": str(piece.length)}.items():
        line.putheader(name, value)
    line.endheaders()
    with video.open("rb") as file:
        line.sock.sendfile(file, piece.offset, piece.length)
    answer = line.getresponse()
    if answer.read() and answer.status >= 300:
        raise Refused(f"{answer.status} to a part")
    line.close()
