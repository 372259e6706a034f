"""Playing a video as a browser does: from the site itself, or from S3 when it is sent there."""

from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from django.http.response import HttpResponseBase
from django.test import Client


@dataclass
class Played:
    """What a player got in the end."""

    status_code: int
    headers: Any
    content: bytes


def play(client: Client, path: str, **headers: str) -> Played:
    """Ask the site, and whoever it sends the player to."""
    return played(client.get(path, headers=headers))


def played(answer: HttpResponseBase) -> Played:
    """Follow an answer of the site to a storage elsewhere, and read it to its end."""
    if answer.get("Location", "").startswith("http"):
        with urlopen(answer["Location"], timeout=10) as sent:
            return Played(sent.status, sent.headers, sent.read())
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Played(answer.status_code, answer.headers, content)
