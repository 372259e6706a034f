"""What every storage of videos does, and the named errors it may end with."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

BLOCK_BYTES = 1024 * 1024


class StorageError(Exception):
    """Whatever a backend may raise; callers catch the named ones below."""


class ObjectNotFound(StorageError):
    """Nothing is stored under `key`."""

    def __init__(self, key: str):
        super().__init__(f"Nothing is stored under {key}.")
        self.key = key


class ObjectExists(StorageError):
    """Something is already stored under `key`; nothing was overwritten."""

    def __init__(self, key: str):
        super().__init__(f"Something is already stored under {key}; it was not overwritten.")
        self.key = key


class InvalidKey(StorageError):
    """`key` is not one of ours (see Note [Keys are a closed language])."""

    def __init__(self, key: object):
        super().__init__(f"This is not a storage key: {str(key)[:120]!r}.")
        self.key = key


class StorageUnavailable(StorageError):
    """The storage cannot be used now; `sentence` says why, for people."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class StorageBusy(StorageUnavailable):
    """Too many ask at this moment, or it is still at what it was asked: in a few seconds it may be done."""


class StorageFull(StorageUnavailable):
    """There is no space left; reading still works."""


@dataclass(frozen=True)
class StoredObject:
    """What the storage itself says about an object."""

    size_bytes: int


class VideoBackend(Protocol):
    """One place for videos. Every method may raise InvalidKey and StorageUnavailable."""

    name: str

    def upload(self, file_obj: BinaryIO, filename: str) -> str:
        """Stream `file_obj` into a new object and return its key; `filename` never influences the key."""

    def get_url(
        self, storage_path: str, *, expires_in_s: int = 3600, mime_type: str = "video/mp4", disposition: str = "inline"
    ) -> str:
        """Return a signed URL that gives the object out until it expires. Nothing is asked of the storage.

        `disposition` is the answer's Content-Disposition: `inline` plays it, an attachment is saved under its name.
        """

    def delete(self, storage_path: str) -> None:
        """Remove the object; one that is absent is fine."""

    def adopt(self, source: Path, storage_path: str, *, mime_type: str) -> None:
        """Take over the finished local file `source`, gone afterwards; ObjectExists leaves both alone."""

    def open(self, storage_path: str) -> BinaryIO:
        """Return the object for reading from start to end (seeking is not promised); ObjectNotFound."""

    def stat(self, storage_path: str) -> StoredObject:
        """Return what is stored under the key; ObjectNotFound when nothing is."""

    def check(self) -> None:
        """Write, read and delete a small object; raise StorageUnavailable when any of it fails."""


def blocks_of(file_obj: BinaryIO) -> Iterator[bytes]:
    """Yield a file in large blocks, from its start if it can be rewound: a form may have read it before."""
    if hasattr(file_obj, "seek") and getattr(file_obj, "seekable", lambda: True)():
        file_obj.seek(0)
    while block := file_obj.read(BLOCK_BYTES):
        yield block


def round_trip(backend: VideoBackend) -> None:
    """Put, get and delete a few random bytes: `check()` of every backend.

    Raises StorageUnavailable (StorageFull when that is the reason).
    """
    payload = uuid4().bytes
    key = backend.upload(BytesIO(payload), "check")
    try:
        with backend.open(key) as stored:
            if stored.read() != payload:
                raise StorageUnavailable("The storage gave back other bytes than were written.")
    except ObjectNotFound as error:
        raise StorageUnavailable("The storage lost an object that it had just accepted.") from error
    finally:
        backend.delete(key)
