"""Videos in a folder of this machine.

# Note [Whole or absent]
A key appears only when its bytes are on the disk: the file is written elsewhere in the same file system,
synced, then linked to its key, and the folder is synced. `link(2)` refuses a name that exists, so nothing is
overwritten even when two adopt the same key at once; `rename(2)` would replace it. A process killed between
link and unlink leaves the same file under both names, and calling again finishes it.
"""

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from core.storage.base import (
    ObjectExists,
    ObjectNotFound,
    StorageUnavailable,
    StoredObject,
    blocks_of,
    round_trip,
)
from core.storage.disk import FILE_MODE, create_file, disk_errors, make_folder, sync, write_all
from core.storage.keys import checked_key, new_key
from core.storage.timed import timed


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalStorageBackend:
    """Keys are paths below `root`; `sign_url(storage_path, expires_in_s)` makes the URLs that play them."""

    name = "local"

    def __init__(self, root: Path, *, sign_url: Callable[[str, int], str], now: Callable[[], datetime] = _utc_now):
        self._root = root
        self._sign_url = sign_url
        self._now = now

    def path(self, storage_path: str) -> Path:
        """Return where the object is, or would be; raises InvalidKey."""
        return self._root / checked_key(storage_path)

    @timed
    def upload(self, file_obj: BinaryIO, filename: str) -> str:
        """Stream `file_obj` into a new object and return its key (see VideoBackend)."""
        key = new_key(self._now())
        incoming = self._root / "incoming" / str(uuid4())
        with disk_errors():
            descriptor = create_file(incoming)
        try:
            with os.fdopen(descriptor, "wb", buffering=0):
                for block in blocks_of(file_obj):
                    with disk_errors():  # not around the read: a broken upload is no broken disk
                        write_all(descriptor, block)
            self.adopt(incoming, key, mime_type="")
        finally:
            incoming.unlink(missing_ok=True)
        return key

    def get_url(
        self, storage_path: str, *, expires_in_s: int = 3600, mime_type: str = "video/mp4", disposition: str = "inline"
    ) -> str:
        """Return the URL that `sign_url` makes; the view behind it knows the type from the row, and plays it."""
        return self._sign_url(checked_key(storage_path), expires_in_s)

    @timed
    def delete(self, storage_path: str) -> None:
        """Remove the object; one that is absent is fine."""
        path = self.path(storage_path)
        with disk_errors():
            path.unlink(missing_ok=True)

    @timed
    def adopt(self, source: Path, storage_path: str, *, mime_type: str) -> None:
        """Take over `source`, without copying it (see Note [Whole or absent]); raises ObjectExists."""
        target = self.path(storage_path)
        source.stat()  # a caller's mistake, not the disk's
        with disk_errors():
            source.chmod(FILE_MODE)
            sync(source)
            make_folder(target.parent)
            try:
                os.link(source, target)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    raise StorageUnavailable("Incoming videos must be on the disk of DJANGO_MEDIA_ROOT.") from error
                if error.errno != errno.EEXIST:
                    raise
                if not target.samefile(source):
                    raise ObjectExists(storage_path) from error
            sync(target.parent)
            source.unlink()

    @timed
    def open(self, storage_path: str) -> BinaryIO:
        """Return the open file; raises ObjectNotFound."""
        path = self.path(storage_path)
        with disk_errors():
            try:
                return path.open("rb")
            except FileNotFoundError as error:
                raise ObjectNotFound(storage_path) from error

    @timed
    def stat(self, storage_path: str) -> StoredObject:
        """Return what the file system says; raises ObjectNotFound."""
        path = self.path(storage_path)
        with disk_errors():
            try:
                return StoredObject(size_bytes=path.stat().st_size)
            except FileNotFoundError as error:
                raise ObjectNotFound(storage_path) from error

    def check(self) -> None:
        """Write, read and delete a small object; raises StorageUnavailable."""
        round_trip(self)
