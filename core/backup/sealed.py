"""JSON documents that carry their own digest.

# Note [A document checks itself]
A sealed document is one line of JSON and a second line: the SHA-256 of the first, in hexadecimal. Both are one file,
so they appear together or not at all, and whichever byte of it is changed, the two lines disagree.
`head -n 1 manifest.json | tr -d '\\n' | sha256sum` shows the same digest without this program.
"""

import hashlib
import json
import re
from typing import Any

_SHAPE = re.compile(rb"(?P<body>[^\n]+)\n(?P<digest>[0-9a-f]{64})\n")


class Damaged(Exception):
    """A file of a backup is not what was written; `sentence` names it."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def seal(document: dict[str, Any]) -> bytes:
    """Return the two lines of `document`."""
    body = json.dumps(document, ensure_ascii=True, sort_keys=True).encode()
    return body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def digest_of(sealed: bytes) -> str:
    """Return the digest in the second line of what `seal` returned."""
    return sealed[-65:-1].decode()


def unseal(sealed: bytes, name: str) -> dict[str, Any]:
    """Return the document in the file `name`; raise Damaged when it is not as it was sealed."""
    found = _SHAPE.fullmatch(sealed)
    if not found or hashlib.sha256(found["body"]).hexdigest().encode() != found["digest"]:
        raise Damaged(f"{name} is damaged: its text does not have the digest in its last line.")
    try:
        document = json.loads(found["body"])
    except ValueError as error:
        raise Damaged(f"{name} is damaged: it is no JSON.") from error
    if not isinstance(document, dict):
        raise Damaged(f"{name} is damaged: it is no JSON object.")
    return document
