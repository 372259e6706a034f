"""Where backups are kept: what a folder and an S3 prefix both do, and the errors they end with."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from core.backup.manifest import StoredFile
from core.backup.sealed import Damaged

BLOCK_BYTES = 1024 * 1024
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


class PlaceUnavailable(Exception):
    """The place cannot be used now; `sentence` says why and what to do."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class PlaceBusy(PlaceUnavailable):
    """Another backup or pruning is at work in the place."""


class NotKept(Exception):
    """The place has nothing under `name`."""

    def __init__(self, name: str):
        super().__init__(f"{name} is missing.")
        self.name = name


class Place(Protocol):
    """Files under names like paths. Every method may raise PlaceUnavailable."""

    address: str

    def scratch(self) -> Path:
        """Return an existing local folder for files on their way in; `put` takes them from there."""

    def put(self, source: Path, name: str) -> None:
        """Keep the finished local file `source` as `name`, in one step, durable; `source` is gone afterwards."""

    def put_bytes(self, content: bytes, name: str) -> None:
        """Keep a small file in one step, in place of any other of that name."""

    def open(self, name: str) -> BinaryIO:
        """Return the file for reading from start to end; raises NotKept."""

    def names(self, prefix: str) -> dict[str, int]:
        """Return name → bytes of everything below `prefix` (which ends with a slash)."""

    def delete(self, name: str) -> None:
        """Remove a file; one that is absent is fine."""

    def writing(self) -> AbstractContextManager[None]:
        """Be the only one who writes or removes; raises PlaceBusy. Clears what a killed run left on its way in."""


def open_place(address: str, *, scratch: Path, s3_options: dict[str, object]) -> Place:
    """Return the place at a folder's path or `s3://bucket/prefix`.

    `scratch` is where files wait on their way to S3, `s3_options` are those of `core.storage.options` without their
    bucket. Raises PlaceUnavailable for another kind of address.
    """
    parts = urlsplit(address)
    if parts.scheme == "s3" and parts.netloc:
        # The vendor's library is costly to import, and folders never need it.
        from core.backup.s3 import S3Place

        return S3Place(parts.netloc, parts.path.strip("/"), scratch=scratch, options=s3_options)
    if not address or SCHEME.match(address):  # `s3:bucket` is a typing error, not a folder of that name
        raise PlaceUnavailable(f"{address!r} is no place for backups. Write a folder's path or s3://bucket/prefix.")
    from core.backup.folder import FolderPlace

    return FolderPlace(Path(address))


def fetch(place: Place, file: StoredFile, target: Path) -> None:
    """Copy a backup's file to `target`, which must not exist; raise Damaged when it is not the file that was stored."""
    try:
        size, digest = _copied(place, file.name, target)
    except NotKept as error:
        raise Damaged(f"{file.name} is missing.") from error
    if size != file.size_bytes or digest != file.sha256:
        raise Damaged(f"{file.name} is damaged: {size} bytes whose SHA-256 is {digest}.")


def _copied(place: Place, name: str, target: Path) -> tuple[int, str]:
    with place.open(name) as source, target.open("xb") as copy:
        return hashed_copy(source, copy)


def hashed_copy(source: BinaryIO, copy: BinaryIO) -> tuple[int, str]:
    """Copy one open file into another; return its bytes and SHA-256."""
    digest, size = hashlib.sha256(), 0
    for block in _blocks(source):
        copy.write(block)
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    while block := source.read(BLOCK_BYTES):
        yield block


def read_small(place: Place, name: str) -> bytes:
    """Return a small file's bytes; raises NotKept."""
    with place.open(name) as source:
        return source.read()
