"""Uploads in parts on a local disk.

# Note [A part is whole or absent]
The parts of an upload lie in one file, each at its own place, so finishing moves no byte. What says that a part is
held is its mark: a symbolic link named by the part's number whose text is its size. A link is made in one step with
its text, so a process killed anywhere leaves a mark or none; it is made after the last byte is written and removed
before the first byte of another try. (Losing power is another matter: what the kernel had not written yet is gone
while its mark may stay. Then the check of the finished video finds it.) Marks: `part_marks`; bytes: `part_bytes`;
who may write: `part_locks`.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.storage.base import ObjectExists
from core.storage.disk import FILE_MODE, FOLDER_MODE, disk_errors, make_folder, sync
from core.storage.keys import checked_key
from core.storage.part_bytes import Source, allocate, copy_part, start_writing
from core.storage.part_locks import locked, opened, part_locked
from core.storage.part_marks import mark, marked, refuse_late, unmark
from core.storage.parts import (
    MEBIBYTE,
    PartedUpload,
    PartRequest,
    SignedPart,
    UploadNotHeld,
    check_parts,
)
from core.storage.timed import timed

LOCK_PATIENCE_S = 2.0

Sign = Callable[[PartedUpload, PartRequest], SignedPart]


class LocalPartStorage:
    """Uploads are folders below `root`/uploads, named like the last piece of their key; `sign` makes the URLs."""

    name = "local"
    recording_part_bytes = MEBIBYTE
    wants_part_sha256 = False  # it would cost more than receiving the part (see `part_bytes`)

    def __init__(self, root: Path, *, sign: Sign):
        self._root = root
        self._uploads = root / "uploads"
        self._sign = sign

    @timed
    def begin(self, storage_path: str) -> str:
        """Make the folder with an empty file; safe to repeat (see PartStorage)."""
        folder = self._folder(storage_path)
        with disk_errors():
            make_folder(self._uploads)
            (folder / "parts").mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            for name in ("lock", "video"):
                os.close(os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
        return folder.name

    @timed
    def reserve(self, upload: PartedUpload, up_to_bytes: int) -> None:
        """Let the file have that many bytes of disk (see PartStorage)."""
        with disk_errors(), self._locked(upload, fcntl.LOCK_SH) as folder, opened(folder / "video") as file:
            size = os.fstat(file).st_size
            if size < up_to_bytes:
                try:
                    allocate(file, size, up_to_bytes)
                except OSError:
                    os.ftruncate(file, size)  # give back what was allocated before the disk was full
                    raise

    def sign(self, upload: PartedUpload, request: PartRequest, *, now: datetime) -> SignedPart:
        """Return the URL of our own view (see PartStorage)."""
        return self._sign(upload, request)

    @timed
    def held(self, upload: PartedUpload) -> dict[int, int]:
        """Return what the marks say (see PartStorage)."""
        with disk_errors():
            return marked(self._folder(upload.storage_path))

    @timed
    def write(self, upload: PartedUpload, request: PartRequest, source: Source) -> None:
        """Stream one part from `source` to its place and mark it (Note [A part is whole or absent]).

        Raises PartBusy, UploadNotHeld, PartDamaged; what `source` raises passes as it is. The part is absent then.
        """
        with self._locked(upload, fcntl.LOCK_SH) as folder, part_locked(folder, request.number):
            refuse_late(folder, request)
            with opened(folder / "video") as file:
                with disk_errors():
                    unmark(folder, request)
                begin = (request.number - 1) * upload.part_size_bytes
                copy_part(source, file, begin, request)
                start_writing(file, begin, request.size_bytes)
                with disk_errors():
                    mark(folder, request)

    @timed
    def finish(self, upload: PartedUpload, size_bytes: int) -> None:
        """Check the marks, make the bytes durable, and move the file to its key (see PartStorage)."""
        target = self._root / checked_key(upload.storage_path)
        if _is_finished(target, size_bytes):
            return
        try:
            with self._locked(upload, fcntl.LOCK_EX, patience_s=LOCK_PATIENCE_S) as folder, disk_errors():
                check_parts(marked(folder), size_bytes, upload.part_size_bytes)
                _move_durably(folder / "video", target, size_bytes)
                shutil.rmtree(folder, ignore_errors=True)
        except UploadNotHeld:
            if not _is_finished(target, size_bytes):  # somebody else has just finished it
                raise

    @timed
    def discard(self, upload: PartedUpload) -> None:
        """Remove the file, then the rest of the folder (see PartStorage)."""
        try:
            with self._locked(upload, fcntl.LOCK_EX, patience_s=LOCK_PATIENCE_S) as folder, disk_errors():
                (folder / "video").unlink(missing_ok=True)
        except UploadNotHeld:
            pass
        shutil.rmtree(self._folder(upload.storage_path), ignore_errors=True)

    @timed
    def touched_at(self, upload: PartedUpload) -> datetime | None:
        """Return the file system's time of the last change (see PartStorage)."""
        folder = self._folder(upload.storage_path)
        with disk_errors():
            return _touched_at(folder) if folder.is_dir() else None

    def begun_before(self, time: datetime) -> Iterator[PartedUpload]:
        """Yield the uploads to which nothing was added since (see PartStorage)."""
        with disk_errors():
            for folder in sorted(self._uploads.iterdir()) if self._uploads.is_dir() else []:
                touched = _touched_at(folder)
                if touched < time:
                    yield PartedUpload(f"videos/{touched:%Y}/{touched:%m}/{folder.name}", folder.name, 0)

    def _folder(self, storage_path: str) -> Path:
        return self._uploads / checked_key(storage_path).rpartition("/")[2]

    @contextmanager
    def _locked(self, upload: PartedUpload, kind: int, *, patience_s: float = 0.0) -> Iterator[Path]:
        """Give the upload's folder while its lock is held (see `part_locks`); UploadNotHeld, PartBusy."""
        folder = self._folder(upload.storage_path)
        with opened(folder / "lock") as lock, locked(lock, kind, patience_s):
            yield folder


def _touched_at(folder: Path) -> datetime:
    return datetime.fromtimestamp(max(path.lstat().st_mtime for path in [folder, *folder.iterdir()]), UTC)


def _is_finished(target: Path, size_bytes: int) -> bool:
    with disk_errors():
        try:
            return target.stat().st_size == size_bytes
        except FileNotFoundError:
            return False


def _move_durably(source: Path, target: Path, size_bytes: int) -> None:
    """Cut the file to its size, wait for the disk, and move it to its key; UploadNotHeld, ObjectExists.

    A rename, and not a link as in `local.adopt`: were the process killed between link and unlink, the next part
    would be written into the finished video. The key is this upload's own, and its lock is held.
    """
    with opened(source) as file:
        os.ftruncate(file, size_bytes)
        os.fsync(file)
    if target.exists():
        raise ObjectExists(str(target))
    make_folder(target.parent)
    source.rename(target)
    sync(target.parent)
