"""Backups in a folder: another disk, a network share, a mounted drive.

# Note [Renamed when it is whole]
A file is written below incoming/, synced, renamed to its name, and its folder synced: a name has all its bytes or does
not exist, also after a power cut. The lock is flock(2) on a file, which the kernel lets go when its holder dies.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from core.backup.places import NotKept, PlaceBusy, PlaceUnavailable
from core.storage.disk import create_file, make_folder, sync, write_all


class FolderPlace:
    """Names are paths below `root`, which is made when it is missing (see Place)."""

    def __init__(self, root: Path):
        self.address = str(root)
        self._root = root

    def scratch(self) -> Path:
        """Return incoming/, on the same disk, so that keeping a file is a rename."""
        with self._errors():
            make_folder(self._root / "incoming")
        return self._root / "incoming"

    def put(self, source: Path, name: str) -> None:
        """Rename `source` to its name (see Note [Renamed when it is whole])."""
        target = self._root / name
        with self._errors():
            source.chmod(0o640)
            sync(source)
            make_folder(target.parent)
            source.replace(target)
            sync(target.parent)

    def put_bytes(self, content: bytes, name: str) -> None:
        """Write a small file and rename it to its name."""
        incoming = self.scratch() / str(uuid4())
        with self._errors():
            descriptor = create_file(incoming)
            try:
                write_all(descriptor, content)
            finally:
                os.close(descriptor)
        self.put(incoming, name)

    def open(self, name: str) -> BinaryIO:
        """Return the open file; raises NotKept."""
        with self._errors():
            try:
                return (self._root / name).open("rb")
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotKept(name) from error

    def names(self, prefix: str) -> dict[str, int]:
        """Walk the folder; a folder that is not there has no names."""
        with self._errors():
            files = [path for path in (self._root / prefix).rglob("*") if path.is_file()]
            return {path.relative_to(self._root).as_posix(): path.stat().st_size for path in sorted(files)}

    def delete(self, name: str) -> None:
        """Remove a file, and its folder when that is empty then."""
        path = self._root / name
        with self._errors():
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock, and begin with an empty incoming/: whatever is there, its writer is dead."""
        with self._errors():
            make_folder(self._root)
            descriptor = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            with self._errors():
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise PlaceBusy(f"Another backup or pruning is at work in {self._root}: wait for it.") from error
                shutil.rmtree(self._root / "incoming", ignore_errors=True)
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that is being forked just now has the descriptor, too
            os.close(descriptor)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PlaceUnavailable(
                f"The backup folder {self._root} cannot be used ({error.strerror}): "
                "check that it exists, has space, and belongs to the account that runs this."
            ) from error
