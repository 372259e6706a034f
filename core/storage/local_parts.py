"""Uploads in parts on a local disk.

# Note [A part is whole or absent]
The parts of an upload lie in one file, each at its own place, so finishing moves no byte. What says that a part is
held is its mark: a symbolic link named by the part's number whose text is its size. A link is made in one step with
its text, so a process killed anywhere leaves a mark or none; it is made after the last byte is written and removed
before the first byte of another try. (Losing power is another matter: what the kernel had not written yet is gone
while its mark may stay. Then the check of the finished video finds it.)

# Note [A late try]
A try whose sender has given up may wait in a busy server with half of its bytes, while the next try brings the whole
part and is acknowledged. Begun after that, it would take the mark away and break off. So a mark also says until when
its link was good, and a try by an older link is told that the part is busy: whoever still wants it asks for a new
link. Older means by less than links live, for a clock that was set back must not keep anybody out for longer.

# Note [Who may write]
A part is written under an exclusive lock on the part and a shared one on the upload; finishing and discarding take the
upload's exclusively. Without that a request that hung for an hour would go on writing into a finished video. The locks
are flock(2), which, unlike lockf(3), excludes threads of one process as well; the kernel drops them when a process
dies. Nobody but `begin` creates the file: a PUT that comes after the end finds none, and that is its answer.

# Note [Bytes that are only passed on]
A part without a SHA-256 goes from the socket to the file inside the kernel (splice(2)); one with a SHA-256 has to come
through this process to be hashed. So browsers are not asked for it here: what a line may do to bytes TLS finds out,
and the whole's SHA-256, when it was given, is checked by the worker. Whoever gives a part's has it checked.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from core.storage.base import ObjectExists
from core.storage.disk import FILE_MODE, FOLDER_MODE, disk_errors, make_folder, sync
from core.storage.keys import checked_key
from core.storage.parts import (
    LINK_LIVES,
    MEBIBYTE,
    PartBusy,
    PartDamaged,
    PartedUpload,
    PartRequest,
    SignedPart,
    UploadNotHeld,
    check_parts,
)
from core.storage.timed import timed

BLOCK_BYTES = 256 * 1024  # stays in the processor's cache between receiving and writing: half the time of 1 MiB
PIPE_BYTES = MEBIBYTE
TOO_SHORT = "The part is shorter than was said."
LOCK_PATIENCE_S = 2.0
LINKS_LIVE_MS = round(LINK_LIVES.total_seconds() * 1000)
_LOCK_POLL_S = 0.01

Sign = Callable[[PartedUpload, PartRequest], SignedPart]
#: Reads into the view, at least one byte unless the body is cut short; returns how many.
Source = Callable[[memoryview], int]


class LocalPartStorage:
    """Uploads are folders below `root`/uploads, named like the last piece of their key; `sign` makes the URLs."""

    name = "local"
    recording_part_bytes = MEBIBYTE
    wants_part_sha256 = False  # it would cost more than receiving the part (Note [Bytes that are only passed on])

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
        with disk_errors(), self._locked(upload, fcntl.LOCK_SH) as folder, _opened(folder / "video") as file:
            size = os.fstat(file).st_size
            if size < up_to_bytes:
                try:
                    _allocate(file, size, up_to_bytes)
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
            return _marked(self._folder(upload.storage_path))

    @timed
    def write(self, upload: PartedUpload, request: PartRequest, source: Source) -> None:
        """Stream one part from `source` to its place and mark it (Note [A part is whole or absent]).

        Raises PartBusy, UploadNotHeld, PartDamaged; what `source` raises passes as it is. The part is absent then.
        """
        with self._locked(upload, fcntl.LOCK_SH) as folder, _part_locked(folder, request.number):
            mark = folder / "parts" / str(request.number)
            _refuse_late(mark, request)
            with _opened(folder / "video") as file:
                with disk_errors():
                    mark.unlink(missing_ok=True)
                begin = (request.number - 1) * upload.part_size_bytes
                _copy(source, file, begin, request)
                _start_writing(file, begin, request.size_bytes)
                with disk_errors():
                    mark.symlink_to(f"{request.size_bytes} {_stamp(request)}")

    @timed
    def finish(self, upload: PartedUpload, size_bytes: int) -> None:
        """Check the marks, make the bytes durable, and move the file to its key (see PartStorage)."""
        target = self._root / checked_key(upload.storage_path)
        if _is_finished(target, size_bytes):
            return
        try:
            with self._locked(upload, fcntl.LOCK_EX, patience_s=LOCK_PATIENCE_S) as folder, disk_errors():
                check_parts(_marked(folder), size_bytes, upload.part_size_bytes)
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
        """Give the upload's folder while its lock is held (Note [Who may write]); UploadNotHeld, PartBusy."""
        folder = self._folder(upload.storage_path)
        with _opened(folder / "lock") as lock, _locked(lock, kind, patience_s):
            yield folder


@contextmanager
def _opened(path: Path, extra_flags: int = 0) -> Iterator[int]:
    """Give a descriptor for reading and writing; a file that is not there means that the upload is over."""
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
def _part_locked(folder: Path, number: int) -> Iterator[None]:
    with _opened(folder / "parts" / f"{number}.lock", os.O_CREAT) as lock, _locked(lock, fcntl.LOCK_EX, 0.0):
        yield


@contextmanager
def _locked(descriptor: int, kind: int, patience_s: float) -> Iterator[None]:
    """Hold a flock; it is given back by name, because a child that is being forked just now has the descriptor, too."""
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


def _touched_at(folder: Path) -> datetime:
    return datetime.fromtimestamp(max(path.lstat().st_mtime for path in [folder, *folder.iterdir()]), UTC)


def _marked(folder: Path) -> dict[int, int]:
    """Return number → bytes of every mark."""
    try:
        marks = [path for path in (folder / "parts").iterdir() if path.name.isdecimal()]
    except FileNotFoundError as error:
        raise UploadNotHeld(folder.name) from error
    found = {}
    for mark in marks:
        with suppress(FileNotFoundError):  # its part is being sent again
            found[int(mark.name)] = int(str(mark.readlink()).partition(" ")[0])
    return dict(sorted(found.items()))


def _refuse_late(mark: Path, request: PartRequest) -> None:
    """Raise PartBusy for a link older than the one that brought the part (Note [A late try])."""
    with disk_errors(), suppress(FileNotFoundError):
        newest = int(str(mark.readlink()).partition(" ")[2] or 0)
        if 0 < newest - _stamp(request) <= LINKS_LIVE_MS:
            raise PartBusy("It was brought by a newer link.")


def _stamp(request: PartRequest) -> int:
    """Return the end of the link's time in milliseconds."""
    return round(request.expires_at.timestamp() * 1000)


def _copy(source: Source, file: int, begin: int, request: PartRequest) -> None:
    """Write exactly the signed bytes at `begin`; PartDamaged when fewer or others come."""
    to_pipe = getattr(source, "to_pipe", None)
    if to_pipe and not request.sha256 and hasattr(os, "splice"):
        return _splice(to_pipe, file, begin, request.size_bytes)
    block = memoryview(bytearray(min(BLOCK_BYTES, request.size_bytes)))
    digest = hashlib.sha256() if request.sha256 else None
    done = 0
    while done < request.size_bytes:
        received = source(block[: request.size_bytes - done])
        if not received:
            raise PartDamaged(TOO_SHORT)
        if digest:
            digest.update(block[:received])
        with disk_errors():
            _write_at(file, block[:received], begin + done)
        done += received
    if digest and digest.hexdigest() != request.sha256:
        raise PartDamaged("The part has another SHA-256 than was said.")
    return None


def _splice(to_pipe: Callable[[int, int], int], file: int, begin: int, size: int) -> None:
    """Do the same through a pipe of the kernel's, so that no byte comes to this process; PartDamaged."""
    done = 0
    with _pipe() as (output, into):
        while done < size:
            moved = to_pipe(into, min(PIPE_BYTES, size - done))
            if not moved:
                raise PartDamaged(TOO_SHORT)
            end = done + moved
            with disk_errors():
                while done < end:
                    done += os.splice(output, file, end - done, offset_dst=begin + done)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Give the two ends of a large pipe, or of a usual one when somebody has many large ones already."""
    output, into = os.pipe()
    try:
        with suppress(OSError):
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield output, into
    finally:
        os.close(output)
        os.close(into)


def _write_at(file: int, block: memoryview, offset: int) -> None:
    """Write the whole block; `pwrite` may take less, and the next call says why."""
    done = 0
    while done < len(block):
        done += os.pwrite(file, block[done:], offset + done)


def _start_writing(file: int, begin: int, size: int) -> None:
    """Let the disk write while the next parts come, so that finishing hardly waits for it; macOS lacks the call.

    Why this advice does that: Note [To the disk while it comes] in `core.received`.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, begin, size, os.POSIX_FADV_DONTNEED)


def _allocate(file: int, size: int, up_to: int) -> None:
    """Have the disk blocks now, so that it is now that a full disk is found; macOS lacks the call."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, size, up_to - size)
    else:
        os.ftruncate(file, up_to)


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
    with _opened(source) as file:
        os.ftruncate(file, size_bytes)
        os.fsync(file)
    if target.exists():
        raise ObjectExists(str(target))
    make_folder(target.parent)
    source.rename(target)
    sync(target.parent)
