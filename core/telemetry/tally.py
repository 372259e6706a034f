"""What one process has counted: numbers in a memory-mapped file of its own.

# Note [One file for each process]
Several processes serve one site, and whichever of them is asked for the metrics must know what all have counted. Each
writes numbers into a mapped file of its own, so counting is a store to memory: no system call, no lock that another
process holds, and the numbers outlive a `kill -9`. A process holds flock(2) on its file as long as it lives, which the
kernel lets go when it dies, in whatever container; so the next process that starts knows the files of the dead, adds
them to ENDED, and removes them (core/telemetry/gathering.py). The file's blocks are allocated when it is made: a disk
that is full later cannot end the process (SIGBUS), and what does not fit into the file is counted in its first number.

# Note [A record appears whole]
A file is MAGIC, then records: its length (u32), its key's length (u32), its key (JSON) padded to eight bytes, its
numbers (float64). The length is written last, and is 0 where nothing was written yet, so a reader at any moment finds
whole records. Numbers lie at multiples of eight, where the processor stores eight bytes at once.
"""

import fcntl
import json
import mmap
import os
import struct
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

SUFFIX = ".figures"
MAGIC = b"figures1"
SIZE_BYTES = 1024 * 1024
LOST_KEY = ("practika_metrics_lost_total",)

Key = tuple[str, ...]


class Tally:
    """Numbers by key, in `memory`; take `lock` to change `numbers[place]`, which is quicker than a method."""

    def __init__(self, memory: mmap.mmap, *, path: Path | None = None, descriptor: int = -1) -> None:
        self.path = path
        self.lock = threading.RLock()  # a signal's handler may count while its own thread does
        self.places: dict[Key, int] = {}
        self._memory = memory
        self._descriptor = descriptor  # kept open: it holds the lock that says that we live
        self.numbers = memoryview(memory).cast("d")
        self._memory[:8] = MAGIC
        self._end = 8
        self.lost = 0
        self.lost = self.place(LOST_KEY, 1)

    @classmethod
    def in_memory(cls) -> "Tally":
        """Return one that nobody else can read."""
        return cls(mmap.mmap(-1, SIZE_BYTES))

    @classmethod
    def in_file(cls, folder: Path) -> "Tally":
        """Return one in a new file below `folder`, locked before it has the name that others look for; OSError."""
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        path = folder / f"{uuid4().hex}{SUFFIX}"
        unnamed = path.with_suffix(".new")
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.posix_fallocate(descriptor, 0, SIZE_BYTES)
            tally = cls(mmap.mmap(descriptor, SIZE_BYTES), path=path, descriptor=descriptor)
            unnamed.rename(path)
        except OSError:
            unnamed.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return tally

    def place(self, key: Key, count: int) -> int:
        """Return where the `count` numbers of a key are, made on first use; `lost` when there is no room."""
        with self.lock:
            if key not in self.places:
                self.places[key] = self._append(key, count)
            return self.places[key]

    def take_over(self, other: "Tally") -> None:
        """Go on from what `other` has counted; for a start from nothing."""
        for key, numbers in records(bytes(other.numbers)):
            place = self.place(key, len(numbers))
            if place != self.lost or key == LOST_KEY:
                self.numbers[place : place + len(numbers)] = array("d", numbers)

    def forget(self) -> None:
        """Let the file go in a forked child: it is the parent's, and the descriptor would keep its lock alive."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, key: Key, count: int) -> int:
        encoded = json.dumps(key).encode()
        begin = 8 + len(encoded) + -len(encoded) % 8
        length = begin + 8 * count
        if self._end + length + 8 > SIZE_BYTES:  # a zero length must follow the last record
            return self.lost
        start, self._end = self._end, self._end + length
        self._memory[start + 4 : start + 8] = struct.pack("I", len(encoded))
        self._memory[start + 8 : start + 8 + len(encoded)] = encoded
        self._memory[start : start + 4] = struct.pack("I", length)
        return (start + begin) // 8


def records(content: bytes) -> Iterator[tuple[Key, list[float]]]:
    """Yield key and numbers of every record in a file's bytes; nothing of a file that is none of ours."""
    position = 8 if content.startswith(MAGIC) else len(content)
    while position + 8 <= len(content):
        length, key_length = struct.unpack_from("II", content, position)
        if not length or position + length > len(content):
            return
        key = tuple(json.loads(content[position + 8 : position + 8 + key_length]))
        count = (length - 8 - key_length) // 8  # the padding is less than one number
        yield key, list(struct.unpack_from(f"{count}d", content, position + length - 8 * count))
        position += length


class _Here:
    """The tally of this process: in memory until `count_in` names a folder; a forked child gets one of its own."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.tally = Tally.in_memory()


HERE = _Here()


def count_in(folder: Path) -> None:
    """Count in a file below `folder` from now on, where the other processes of the site do, too; OSError."""
    tally = Tally.in_file(folder)
    tally.take_over(HERE.tally)
    HERE.folder, HERE.tally = folder, tally


def _count_apart_in_child() -> None:
    """After a fork the mapped file is still the parent's."""
    HERE.tally.forget()
    folder, HERE.tally = HERE.folder, Tally.in_memory()
    if folder is None:
        return
    try:
        HERE.tally = Tally.in_file(folder)
    except OSError:
        HERE.folder = None  # what a child counts is lost then; nothing else depends on it, and a fork must not fail


os.register_at_fork(after_in_child=_count_apart_in_child)
