"""Who may write to an upload on a local disk.

# Note [Who may write]
A part is written under an exclusive lock on the part and a shared one on the upload; finishing and discarding take the
upload's exclusively. Without that a request that hung for an hour would go on writing into a finished video. The locks
are flock(2), which, unlike lockf(3), excludes threads of one process as well; the kernel drops them when a process
dies. Nobody but `begin` creates the file: a PUT that comes after the end finds none, and that is its answer.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from core.storage.disk import FILE_MODE, disk_errors
from core.storage.parts import PartBusy, UploadNotHeld

_LOCK_POLL_S = 0.01


@contextmanager
def opened(path: Path, extra_flags: int = 0) -> Iterator[int]:
    """Give a descriptor for reading and writing; UploadNotHeld for a file that is not there: the upload is over."""
    with disk_errors():
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | extra_flags, FILE_MODE)
        except FileNotFoundError as error:
            raise UploadNotHeld(path.parent.name) from error
    try:
        yield descriptor
    finally:
        with disk_errors():
            os.close(descriptor)


@contextmanager
def part_locked(folder: Path, number: int) -> Iterator[None]:
    """Hold the lock of one part, for whoever writes it; UploadNotHeld, PartBusy."""
    with opened(folder / "parts" / f"{number}.lock", os.O_CREAT) as lock, locked(lock, fcntl.LOCK_EX, 0.0):
        yield


@contextmanager
def locked(descriptor: int, kind: int, patience_s: float) -> Iterator[None]:
    """Hold a flock, asking for it as long as `patience_s`; PartBusy.

    It is given back by name, because a child that is being forked just now has the descriptor, too.
    """
    _lock(descriptor, kind, patience_s)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int, kind: int, patience_s: float) -> None:
    """Take a flock, asking again for as long as `patience_s`; PartBusy."""
    deadline = monotonic() + patience_s
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if monotonic() >= deadline:
                raise PartBusy("Somebody else is writing it.") from error
        sleep(_LOCK_POLL_S)
