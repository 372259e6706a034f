"""The boxes of an ISO file (MP4, QuickTime, 3GP): their order, and those that may say more than pictures and sound do.

# Note [Known boxes only]
Phones, drones and dash cameras put places, names and serial numbers into boxes of their own making, which no library
knows. So it is not asked which boxes reveal something, but which are known to reveal nothing; any other one counts as
revealing, and costs no more than copying the file once.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_BOXES = 1_000
_MAX_DEPTH = 4
_MAX_PADDING_BYTES = 1024 * 1024
_PADDING = {b"free", b"skip", b"wide"}
_TOP = {b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"pdin", b"ssix", b"prft", b"emsg"}
#: Boxes of these may be looked into, and hold nothing but these and what `_SILENT` names.
_INNER = {b"moov", b"trak", b"mdia", b"edts", b"mvex", b"udta", b"meta", b"ilst"}
_SILENT = {b"mvhd", b"iods", b"tkhd", b"tref", b"mdhd", b"hdlr", b"minf", b"elst", b"mehd", b"trex", b"tapt", b"load"}
# What these say is read as metadata under "encoder".
_SILENT |= {b"\xa9too", b"\xa9swr", b"\xa9enc", b"trep", b"elng", b"trgr", b"titl", b"btrt", b"gmin"}


@dataclass(frozen=True)
class Box:
    """One box: its type, where its content begins, and where it ends, in bytes from the start of the file."""

    kind: bytes
    begin: int
    end: int


@dataclass(frozen=True)
class Layout:
    """How an ISO file is laid out, as far as players and privacy care."""

    index_first: bool
    fragmented: bool
    has_unknown_boxes: bool


def layout_of(path: Path) -> Layout:
    """Return the layout of an ISO file; of a damaged one, what can be read of it."""
    boxes = list(top_boxes(path))
    kinds = [box.kind for box in boxes]
    index_first = b"moov" in kinds and (b"mdat" not in kinds or kinds.index(b"moov") < kinds.index(b"mdat"))
    with path.open("rb") as file:
        reveals = any(box.kind not in _TOP and not _is_padding(file, box) for box in boxes)
        indexes = [box for box in boxes if box.kind == b"moov"]
        reveals = reveals or any(_reveals(file, box, _MAX_DEPTH) for box in indexes)
    whole = bool(boxes) and boxes[-1].end == path.stat().st_size  # else there is a tail that no box accounts for
    return Layout(index_first, b"moof" in kinds, reveals or not whole)


def top_boxes(path: Path) -> Iterator[Box]:
    """Yield the boxes at the top level (ISO 14496-12, section 4.2), the last perhaps longer than the file."""
    with path.open("rb") as file:
        yield from _boxes(file, 0, path.stat().st_size)


def _boxes(file: BinaryIO, begin: int, limit: int) -> Iterator[Box]:
    for _ in range(_MAX_BOXES):
        if begin + 8 > limit:
            return
        file.seek(begin)
        header = file.read(16)
        if len(header) < 8:
            return
        length, head = int.from_bytes(header[:4]), 8
        if length == 1:
            length, head = int.from_bytes(header[8:16]), 16
        end = limit if length == 0 else begin + length
        if end < begin + head:
            return
        yield Box(header[4:8], begin + head, end)
        begin = end


def _reveals(file: BinaryIO, parent: Box, depth: int) -> bool:
    # `meta` begins with four bytes of version and flags in MP4, and with its first box in QuickTime.
    begin = parent.begin
    if parent.kind == b"meta":
        file.seek(begin)
        begin += 0 if file.read(8)[4:8] == b"hdlr" else 4
    for box in _boxes(file, begin, parent.end):
        if box.kind in _SILENT or _is_padding(file, box):
            continue
        if box.kind not in _INNER or depth == 0 or _reveals(file, box, depth - 1):
            return True
    return False


def _is_padding(file: BinaryIO, box: Box) -> bool:
    """Return whether the box says that it is empty space, and is: some cameras hide their track of places there."""
    if box.kind not in _PADDING or box.end - box.begin > _MAX_PADDING_BYTES:
        return False
    file.seek(box.begin, os.SEEK_SET)
    return not any(file.read(box.end - box.begin))
