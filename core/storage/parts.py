"""An upload in parts: what both storages promise, the sizes of parts, and the named errors.

# Note [Parts]
A video on its way in has a number of parts, from 1, in an order that only their numbers say. Every part but the
last has exactly the upload's part size, so that a number says where its bytes belong; the last has the rest. A part
is held whole or not at all, and sending it again replaces it. What is held is asked of the storage, never of a
table: S3's own list, or the marks beside the local file. The shape is that of S3's multipart uploads, the
strictest of the two (docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).

# Note [The size of a part]
A broken line costs the part that was under way, a part costs a signature and a request. So a file comes in about
USUAL_PARTS parts, none so small that requests outweigh its bytes nor so large that losing one is a loss (64 MiB are
half a minute at 20 Mbit/s), unless MAX_PARTS asks for larger ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.storage.base import StorageError

MEBIBYTE = 1024 * 1024
MAX_PARTS = 10_000
LINK_LIVES = timedelta(hours=1)
LEAST_FILE_PART_BYTES = 16 * MEBIBYTE
MOST_FILE_PART_BYTES = 64 * MEBIBYTE
USUAL_PARTS = 32


class UploadNotHeld(StorageError):
    """The storage holds no such upload (any more): it was finished, given up, or swept."""


class PartBusy(StorageError):
    """The part, or the whole upload, is being written by somebody else just now."""


class PartDamaged(StorageError):
    """The bytes that came are not those that were signed; nothing of them is kept."""


class PartsMissing(StorageError):
    """These parts are absent or have another size than the whole needs."""

    def __init__(self, numbers: list[int]):
        super().__init__(f"{len(numbers)} parts are missing.")
        self.numbers = numbers


class PartsBeyondEnd(StorageError):
    """Parts are held that lie behind the end the whole is said to have."""

    def __init__(self, numbers: list[int]):
        super().__init__(f"{len(numbers)} parts lie behind the end.")
        self.numbers = numbers


@dataclass(frozen=True)
class PartedUpload:
    """One upload as a storage knows it: the key its bytes get, the storage's own id of it, and its part size."""

    storage_path: str
    upload_id: str
    part_size_bytes: int


@dataclass(frozen=True)
class PartRequest:
    """The one request that may bring one part; `sha256` (hex) may be empty."""

    number: int
    size_bytes: int
    sha256: str
    expires_at: datetime


@dataclass(frozen=True)
class SignedPart:
    """Where to PUT a part, with exactly these headers."""

    url: str
    headers: dict[str, str]


class PartStorage(Protocol):
    """Where parts go. Every method may raise InvalidKey and StorageUnavailable (StorageFull)."""

    name: str

    recording_part_bytes: int
    wants_part_sha256: bool  # whether a part's SHA-256 is checked at no cost to us

    def begin(self, storage_path: str) -> str:
        """Make room for an upload and return the storage's id of it."""

    def reserve(self, upload: PartedUpload, up_to_bytes: int) -> None:
        """Hold disk space for the first `up_to_bytes` of the whole; StorageFull, UploadNotHeld."""

    def sign(self, upload: PartedUpload, request: PartRequest, *, now: datetime) -> SignedPart:
        """Return the signed request for one part. Nothing is asked of the storage."""

    def held(self, upload: PartedUpload) -> dict[int, int]:
        """Return the parts that are held whole, number → bytes; UploadNotHeld."""

    def finish(self, upload: PartedUpload, size_bytes: int) -> None:
        """Make the parts one durable object under the key; safe to repeat, and from several callers at once.

        Raises PartsMissing or PartsBeyondEnd (the upload stays as it was), PartBusy, UploadNotHeld.
        """

    def discard(self, upload: PartedUpload) -> None:
        """Remove the parts; an upload that is not held is fine. Raises PartBusy."""

    def touched_at(self, upload: PartedUpload) -> datetime | None:
        """Return when the storage got something of an upload last, by its own clock; None when it holds nothing."""

    def begun_before(self, time: datetime) -> Iterator[PartedUpload]:
        """Yield what the storage holds of uploads begun before a time (part sizes are not known: 0)."""


def part_size(storage: PartStorage, size_bytes: int | None, *, largest_bytes: int) -> int:
    """Return the part size for a file of that size, or for a recording that may become `largest_bytes` long."""
    if size_bytes is None:
        return part_size_for(largest_bytes, at_least=storage.recording_part_bytes)
    usual = part_size_for(size_bytes, at_least=LEAST_FILE_PART_BYTES, parts=USUAL_PARTS)
    return part_size_for(size_bytes, at_least=min(usual, MOST_FILE_PART_BYTES))


def part_size_for(size_bytes: int, *, at_least: int, parts: int = MAX_PARTS) -> int:
    """Return the least whole number of mebibytes, `at_least` bytes, with which so many parts are enough."""
    needed = -(-size_bytes // parts)
    return max(at_least, -(-needed // MEBIBYTE) * MEBIBYTE)


def part_count(size_bytes: int, part_size_bytes: int) -> int:
    """Return how many parts a file has."""
    return -(-size_bytes // part_size_bytes)


def part_bytes(number: int, size_bytes: int, part_size_bytes: int) -> int:
    """Return the exact size of one part of a file of known size."""
    return min(part_size_bytes, size_bytes - (number - 1) * part_size_bytes)


def check_parts(held: Mapping[int, int], size_bytes: int, part_size_bytes: int) -> None:
    """Raise PartsMissing or PartsBeyondEnd unless `held` is exactly a whole of that size."""
    count = part_count(size_bytes, part_size_bytes)
    expected = ((number, part_bytes(number, size_bytes, part_size_bytes)) for number in range(1, count + 1))
    if missing := [number for number, wanted in expected if held.get(number) != wanted]:
        raise PartsMissing(missing)
    if beyond := sorted(number for number in held if number > count):
        raise PartsBeyondEnd(beyond)
