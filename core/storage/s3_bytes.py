"""Bytes on their way into a bucket and out of it, a block at a time."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

READ_BYTES = 256 * 1024


class Forward:
    """Blocks as a file read once, forward: the vendor's library neither rewinds nor closes the caller's."""

    def __init__(self, blocks: Iterator[bytes]):
        self._blocks = blocks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; all of them without a size."""
        taken = bytearray(self._rest)
        while (size < 0 or len(taken) < size) and (block := next(self._blocks, b"")):
            taken += block
        end = len(taken) if size < 0 else size
        self._rest = bytes(taken[end:])
        return bytes(taken[:end])


def stored_bytes(body: Any, errors: Callable[[], AbstractContextManager[None]]) -> BinaryIO:
    """Return the body of a GET as a file, read as it comes over the wire; `errors` translates what reading raises."""
    return io.BufferedReader(_StoredBytes(body, errors), READ_BYTES)


class _StoredBytes(io.RawIOBase):
    """The body of a GET, its errors translated."""

    def __init__(self, body: Any, errors: Callable[[], AbstractContextManager[None]]):
        self._body, self._errors = body, errors

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        with self._errors():
            block = self._body.read(len(target))
        target[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._body.close()
        super().close()
