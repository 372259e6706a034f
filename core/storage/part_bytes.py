"""The bytes of one local part: from the request to their place in the file.

# Note [Bytes that are only passed on]
A part without a SHA-256 goes from the socket to the file inside the kernel (splice(2)); one with a SHA-256 has to come
through this process to be hashed. So browsers are not asked for it here: what a line may do to bytes TLS finds out,
and the whole's SHA-256, when it was given, is checked by the worker. Whoever gives a part's has it checked.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from core.storage.disk import disk_errors
from core.storage.parts import MEBIBYTE, PartDamaged, PartRequest

BLOCK_BYTES = 256 * 1024  # stays in the processor's cache between receiving and writing: half the time of 1 MiB
PIPE_BYTES = MEBIBYTE
TOO_SHORT = "The part is shorter than was said."

#: Reads into the view, at least one byte unless the body is cut short; returns how many.
Source = Callable[[memoryview], int]


def copy_part(source: Source, file: int, begin: int, request: PartRequest) -> None:
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


def start_writing(file: int, begin: int, size: int) -> None:
    """Let the disk write while the next parts come, so that finishing hardly waits for it; macOS lacks the call.

    Why this advice does that: Note [To the disk while it comes] in `core.received`.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, begin, size, os.POSIX_FADV_DONTNEED)


def allocate(file: int, size: int, up_to: int) -> None:
    """Have the disk blocks now, so that it is now that a full disk is found; macOS lacks the call."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, size, up_to - size)
    else:
        os.ftruncate(file, up_to)
