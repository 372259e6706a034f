"""Small files that ask for much memory or time."""

import struct
import zlib
from pathlib import Path

from core.media.clips import write_clip
from tests.videos.damaged import ftyp_only
from tests.videos.files import box, patched, written
from tests.videos.good import silent_mp4


def nested_boxes(folder: Path) -> Path:
    depth = 20_000
    boxes = b"".join(struct.pack(">I4s", 8 * (depth - level), b"moov") for level in range(depth))
    return written(folder, "nested.mp4", ftyp_only(folder).read_bytes() + boxes)


def vast_table(folder: Path) -> Path:
    """The table of sizes claims 2²⁸ entries."""
    whole = silent_mp4(folder).read_bytes()
    return written(folder, "table.mp4", patched(whole, b"stsz", 12, struct.pack(">I", 2**28)))


def compressed_index(folder: Path) -> Path:
    """A compressed index (QuickTime `cmov`) that unpacks to 256 MiB of zeros."""
    size_bytes = 256 * 1024 * 1024
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(256)) + packer.flush()
    cmov = box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", struct.pack(">I", size_bytes) + packed))
    return written(folder, "cmov.mov", ftyp_only(folder).read_bytes() + box(b"moov", cmov))


def three_thousand_tracks(folder: Path) -> Path:
    whole = write_clip(folder / "one track.mp4", size=(64, 64), seconds=0.2, audio_codec=None, index="end").read_bytes()
    moov, trak = whole.index(b"moov") - 4, whole.index(b"trak") - 4
    track = whole[trak : trak + struct.unpack_from(">I", whole, trak)[0]]
    body = whole[moov + 8 : moov + struct.unpack_from(">I", whole, moov)[0]] + track * 2999
    return written(folder, "3000 tracks.mp4", whole[:moov] + box(b"moov", body))
