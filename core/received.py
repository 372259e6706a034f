"""The video of one request while it is on our disk: written as it comes in, gone at the end unless kept.

# Note [A received file has one owner]
From its first byte a file belongs to exactly one object: the `VideoWriter`, then the `ReceivedVideo`, then
whoever called `keep()` or renamed it (the storage's `adopt`). Whichever owner goes away without handing over
removes the file: `discard()` on any error, `close()` when Django ends the request, a finalizer when an object
is merely forgotten. Only a killed process leaves a file, and a sweep of the folder finds it by its age.

# Note [To the disk while it comes]
The kernel would keep a video in memory until the storage asks for it with fsync(2), and the person who sent it
waits for the disk then. `POSIX_FADV_DONTNEED` on pages that are still dirty only starts to write them (Linux,
mm/fadvise.c), so it is said every few mebibytes. Measured for 512 MiB: fsync 3 ms instead of 147 ms, 97 to
100 % of the pages still in memory for the decoder. Unlike an early fsync it consumes no error of the disk: the
storage's own fsync still reports it.
"""

import hashlib
import os
import unicodedata
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile

from core.storage.base import StorageFull
from core.storage.disk import create_file, disk_errors, write_all

DISPLAY_NAME_CHARACTERS = 120
WRITE_BACK_BYTES = 8 * 1024 * 1024


class VideoTooLarge(RequestDataTooBig):
    """More bytes than `max_bytes` were sent, or announced."""

    def __init__(self, max_bytes: int):
        super().__init__(f"The video is larger than {max_bytes} bytes.")
        self.max_bytes = max_bytes


class NoSpaceLeft(StorageFull):
    """The folder for incoming videos is full; nothing of this one was left behind."""


class ReceivedVideo(UploadedFile):
    """A video on our disk, whole: `path`, `size`, `name` (cleaned, to be shown), `checksum_sha256` (hex).

    It is an open binary file, too. `close()` removes what is at `path`, unless `keep()` was called, and gives back what
    was held for it.
    """

    name: str
    size: int

    def __init__(self, *, path: Path, name: str, content_type: str, size: int, checksum_sha256: str):
        super().__init__(path.open("rb"), name, content_type, size)
        self.path = path
        self.checksum_sha256 = checksum_sha256
        self.at_close = ExitStack()
        self._removal = weakref.finalize(self, path.unlink, missing_ok=True)

    def temporary_file_path(self) -> str:
        """Return the path as Django's file storages ask for it, to move the file instead of copying it."""
        return str(self.path)

    def keep(self) -> Path:
        """Leave the file where it is when the request ends; the caller owns it from here."""
        self._removal.detach()
        return self.path

    def close(self) -> None:
        """Close the file and remove it if it is still ours; safe to repeat."""
        super().close()
        self.at_close.close()
        self._removal()


class VideoWriter:
    """Writes blocks to a new private file in `folder` and hashes them meanwhile.

    Hashing runs beside writing in a thread of its own: OpenSSL and write(2) both release the interpreter's
    lock.
    """

    def __init__(self, folder: Path, *, max_bytes: int):
        self.path = folder / str(uuid4())
        self.size_bytes = 0
        self._max_bytes = max_bytes
        self._asked_bytes = 0
        self._digest = hashlib.sha256()
        self._hashing: Future | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sha256")
        with disk_errors(full=NoSpaceLeft):
            self._descriptor = create_file(self.path)

    def write(self, block: bytes | memoryview) -> None:
        """Append a block, which must stay as it is until the next call (a hash may still be reading it).

        Raises VideoTooLarge, NoSpaceLeft or StorageUnavailable.
        """
        self.size_bytes += len(block)
        if self.size_bytes > self._max_bytes:
            raise VideoTooLarge(self._max_bytes)
        if self._hashing:
            self._hashing.result()
        self._hashing = self._thread.submit(self._digest.update, block)
        with disk_errors(full=NoSpaceLeft):
            write_all(self._descriptor, block)
        if self.size_bytes - self._asked_bytes >= WRITE_BACK_BYTES:
            self._write_back()

    def finish(self, *, name: str, content_type: str) -> ReceivedVideo:
        """Close the file and hand it over; `name` is cleaned for showing."""
        self._close()
        return ReceivedVideo(
            path=self.path,
            name=display_name(name),
            content_type=content_type,
            size=self.size_bytes,
            checksum_sha256=self._digest.hexdigest(),
        )

    def discard(self) -> None:
        """Close and remove the file; what went wrong before matters more than an error here."""
        try:
            self._close()
        finally:
            self.path.unlink(missing_ok=True)

    def _write_back(self) -> None:
        """Start writing what the kernel still holds (see Note [To the disk while it comes]); macOS lacks the call."""
        begin, self._asked_bytes = self._asked_bytes, self.size_bytes
        if hasattr(os, "posix_fadvise"):
            length = self._asked_bytes - begin
            self._thread.submit(os.posix_fadvise, self._descriptor, begin, length, os.POSIX_FADV_DONTNEED)

    def _close(self) -> None:
        self._thread.shutdown(wait=True)
        with disk_errors(full=NoSpaceLeft):  # close(2) is where a network disk reports that it was full
            os.close(self._descriptor)


def display_name(name: str) -> str:
    """Return a file name that is safe to show: ≤ 120 characters, no path, nothing invisible.

    Dropped are Unicode's categories C* (control, format with the bidi overrides, surrogate, private) and the
    line and paragraph separators.
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    shown = " ".join(shown.split())
    if shown in {"", ".", ".."}:
        return "video"
    stem, dot, extension = shown.rpartition(".")
    if len(shown) > DISPLAY_NAME_CHARACTERS and stem and len(extension) <= 10:
        return stem[: DISPLAY_NAME_CHARACTERS - len(extension) - 1] + dot + extension
    return shown[:DISPLAY_NAME_CHARACTERS]
