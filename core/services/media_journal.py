"""The journal of a move: which copies were read back and found whole, so that a run after a kill reads none twice.

It is a help, not a truth: without the file everything at the new place is read once more.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.storage.base import StorageUnavailable
from core.storage.disk import disk_errors, make_folder, write_all


class MoveBusy(StorageUnavailable):
    """Another run has the journal."""


class Journal:
    """Key → SHA-256 of the copies at `address` that were found whole; one line of JSON each, durable when added."""

    def __init__(self, descriptor: int, address: str):
        self._descriptor, self._address = descriptor, address
        self._lock = threading.Lock()
        self.whole = dict(_read(descriptor, address))

    def add(self, key: str, sha256: str) -> None:
        """Write down that the copy of `key` is whole."""
        line = json.dumps({"at": self._address, "key": key, "sha256": sha256}) + "\n"
        with self._lock, disk_errors():
            write_all(self._descriptor, line.encode())
            os.fsync(self._descriptor)
            self.whole[key] = sha256


@contextmanager
def open_journal(path: Path, *, address: str) -> Iterator[Journal]:
    """Give the journal of a move to `address`, to one process at a time; raises MoveBusy."""
    with disk_errors():
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MoveBusy("Another move_media is at work here: let it end, then look again.") from error
        yield Journal(descriptor, address)
    finally:
        os.close(descriptor)


def _read(descriptor: int, address: str) -> Iterator[tuple[str, str]]:
    """Yield what was written for that address; a line that a kill cut off is ended here and says nothing."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        lines = file.read().split(b"\n")
    if lines[-1]:
        write_all(descriptor, b"\n")
    for line in lines:
        try:
            said = json.loads(line)
            if said["at"] == address:
                yield said["key"], said["sha256"]
        except (ValueError, KeyError, TypeError):
            continue
