"""Videos that are incomplete or damaged, or whose headers say absurd things."""

import random
import struct
from fractions import Fraction
from pathlib import Path

from core.media.clips import write_clip
from tests.videos.files import box, patched, written
from tests.videos.good import phone_mp4, silent_mp4


def ftyp_only(folder: Path) -> Path:
    return written(folder, "ftyp.mp4", box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41"))


def truncated_index_front(folder: Path) -> Path:
    whole = write_clip(folder / "front.mp4", seconds=4, index="front").read_bytes()
    return written(folder, "cut, index in front.mp4", whole[: len(whole) // 2])


def truncated_index_end(folder: Path) -> Path:
    whole = write_clip(folder / "end.mp4", index="end").read_bytes()
    return written(folder, "cut, index at the end.mp4", whole[: len(whole) // 2])


def truncated_webm(folder: Path) -> Path:
    whole = write_clip(folder / "whole.webm", seconds=4, video_codec="libvpx", audio_codec=None).read_bytes()
    return written(folder, "cut.webm", whole[: len(whole) // 2])


def no_frame(folder: Path) -> Path:
    """A complete index over pictures that are all zeros."""
    whole = bytearray(silent_mp4(folder).read_bytes())
    begin = whole.index(b"mdat") + 4
    whole[begin:] = bytes(len(whole) - begin)
    return written(folder, "no frame.mp4", bytes(whole))


def bit_flipped(folder: Path) -> Path:
    whole, chance = bytearray(phone_mp4(folder).read_bytes()), random.Random(3)
    for _ in range(200):
        place = chance.randrange(64, len(whole))
        whole[place] ^= 1 << chance.randrange(8)
    return written(folder, "flipped.mp4", bytes(whole))


def claims_136_years(folder: Path) -> Path:
    """The index says 2³² − 2 seconds; the pictures last one."""
    whole = patched(silent_mp4(folder).read_bytes(), b"mvhd", 16, struct.pack(">II", 1, 2**32 - 2))
    whole = patched(whole, b"mdhd", 20, struct.pack(">I", 2**32 - 2))
    return written(folder, "136 years.mp4", whole)


def timescale_zero(folder: Path) -> Path:
    return written(folder, "timescale.mp4", patched(silent_mp4(folder).read_bytes(), b"mdhd", 16, bytes(4)))


def claims_65535_pixels(folder: Path) -> Path:
    """The index says 65535 × 65535, the pictures themselves are 320 × 180."""
    whole = patched(silent_mp4(folder).read_bytes(), b"avc1", 28, struct.pack(">HH", 65535, 65535))
    return written(folder, "65535.mp4", patched(whole, b"tkhd", 80, struct.pack(">II", 65535 << 16, 65535 << 16)))


def vast_picture(folder: Path) -> Path:
    """VP8 whose every key frame says 8191 × 8191 in its own header (RFC 6386, section 9.1)."""
    path = write_clip(folder / "small.webm", size=(64, 64), seconds=0.2, video_codec="libvpx", audio_codec=None)
    whole = path.read_bytes().replace(b"\x9d\x01\x2a" + struct.pack("<HH", 64, 64), b"\x9d\x01\x2a\xff\x1f\xff\x1f")
    return written(folder, "vast.webm", whole)


def large_picture(folder: Path) -> Path:
    return write_clip(folder / "large.avi", size=(4104, 64), seconds=0.1, video_codec="mjpeg", audio_codec=None)


def a_thousand_pictures_a_second(folder: Path) -> Path:
    return write_clip(folder / "1000.mp4", size=(64, 64), seconds=0.3, frame_rate=1000, audio_codec=None)


def five_hours(folder: Path) -> Path:
    """One picture an hour."""
    hourly = Fraction(1, 3600)
    return write_clip(folder / "5 hours.mp4", size=(64, 64), seconds=5 * 3600, frame_rate=hourly, audio_codec=None)
