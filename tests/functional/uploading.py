"""Sending a video in parts, as the browser does, and what both storages hold, for tests."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.test import Client

from accounts.models import Classroom

UPLOADS = "/core/api/uploads/"


@dataclass
class Answer:
    """What a storage answered to a part."""

    status_code: int
    headers: Any
    content: bytes

    def json(self) -> dict:
        return json.loads(self.content)


@dataclass
class Store:
    """A storage and what tests ask it behind the site's back."""

    name: str
    read: Callable[[str], bytes]
    leftovers: Callable[[], list[str]]  # parts of unfinished uploads
    objects: Callable[[], list[str]]


class Uploader:
    """One upload of one person: each method is one call, and returns its answer."""

    def __init__(
        self, client: Client, classroom: Classroom, content: bytes, *, token: str = "token-0001", **fields: Any
    ):
        self.client, self.content = client, content
        self.fields = {
            "client_token": token,
            "file_name": "dance.mp4",
            "mime_type": "video/mp4",
            "size_bytes": len(content),
            "classroom": str(classroom.pk),
        } | fields
        self.upload: dict[str, Any] = {}

    def open(self, **changed: Any) -> Any:
        answer = self.post(UPLOADS, {**self.fields, **changed})
        if answer.status_code in (200, 201):
            self.upload = answer.json()
        return answer

    def part(self, number: int) -> bytes:
        size = self.upload["part_size_bytes"]
        return self.content[(number - 1) * size : number * size]

    def sign(self, number: int, size_bytes: Any = None, **more: Any) -> Any:
        fields = {"size_bytes": len(self.part(number)) if size_bytes is None else size_bytes, **more}
        return self.post(f"{self.upload['url']}parts/{number}/", fields)

    def sign_all(self) -> Any:
        """Sign every part in one call, with its SHA-256 where the storage checks it."""
        return self.post(self.upload["parts_url"], {"parts": [self.wish(number) for number in self.numbers()]})

    def wish(self, number: int) -> dict[str, Any]:
        content = self.part(number)
        digest = hashlib.sha256(content).hexdigest() if self.upload["wants_part_sha256"] else ""
        return {"number": number, "size_bytes": len(content), "sha256": digest}

    def numbers(self) -> range:
        return range(1, -(-len(self.content) // self.upload["part_size_bytes"]) + 1)

    def put(self, signed: dict[str, Any], content: bytes) -> Answer:
        """Do the signed request: to our own view through the test client, elsewhere over HTTP."""
        url, headers = signed["url"], signed["headers"]
        if url.startswith("/"):
            answer = Client().put(url, content, content_type="application/octet-stream", headers=headers)
            return Answer(answer.status_code, answer.headers, answer.content)
        return put_over_http(url, content, headers)

    def send(self, number: int, **more: Any) -> Any:
        """Sign a part and send it."""
        signed = self.sign(number, **more)
        assert signed.status_code == 200, signed.content
        return self.put(signed.json(), self.part(number))

    def send_all(self) -> None:
        for number in self.numbers():
            assert self.send(number).status_code == 200

    def complete(self, size_bytes: Any = None, **more: Any) -> Any:
        fields = {"size_bytes": len(self.content) if size_bytes is None else size_bytes, **more}
        return self.post(self.upload["completion_url"], fields)

    def look(self) -> Any:
        return self.client.get(self.upload["url"])

    def held(self) -> list[int]:
        return [part["number"] for part in self.look().json()["parts"]]

    def abort(self) -> Any:
        return self.client.delete(self.upload["url"])

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, body, content_type="application/json")


def put_over_http(url: str, content: bytes, headers: dict[str, str]) -> Answer:
    request = Request(url, content, {"Content-Type": "application/octet-stream", **headers}, method="PUT")
    try:
        with urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except HTTPError as error:
        return Answer(error.code, error.headers, error.read())
