"""Files of ours on a local disk: made private, written whole, made durable, their errors in sentences."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.storage.base import StorageFull, StorageUnavailable

# The group may read, so that a web server in that group can serve files by X-Accel-Redirect; others may not.
FILE_MODE = 0o640
FOLDER_MODE = 0o750

# EFBIG: a limit on the size of one file (RLIMIT_FSIZE, some network disks) is no space left, too.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_errors(*, full: type[StorageFull] = StorageFull) -> Iterator[None]:
    """Turn an OSError of the block into `full` or StorageUnavailable, whose sentence names the cause."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise full("The disk for videos is full: free some space on it, or give it more.") from error
        raise StorageUnavailable(
            f"The folder for videos cannot be used ({os.strerror(error.errno or errno.EIO)}): "
            "check that DJANGO_MEDIA_ROOT is writable and belongs to the account that runs Practika."
        ) from error


def create_file(path: Path) -> int:
    """Create `path`, its folders too, and return a descriptor; never opens an existing file."""
    make_folder(path.parent)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)


def write_all(descriptor: int, block: bytes | memoryview) -> None:
    """Write the whole block: `os.write` may take less (a nearly full disk), the next call says why."""
    written = os.write(descriptor, block)
    while written < len(block):
        written += os.write(descriptor, memoryview(block)[written:])


def make_folder(folder: Path) -> None:
    """Create `folder` and what is missing above it; each new name is on disk when this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(FOLDER_MODE, exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
