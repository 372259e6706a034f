"""How a stored picture becomes the one on the screen: turned, mirrored, stretched."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.video.frame import VideoFrame

_MAX_STRETCH = 8  # beyond it the header is nonsense, and players ignore it as well


@dataclass(frozen=True)
class Orientation:
    """Turn the stored picture clockwise by `rotation_deg`, then mirror it left to right if `mirrored`."""

    rotation_deg: int = 0
    mirrored: bool = False


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return what the frame's display matrix asks for, to the nearest quarter turn.

    The matrix is nine 32-bit numbers (libavutil/display.h), of which a b / c d turn and mirror:
    x' = a·x + c·y, y' = b·x + d·y, with y pointing down.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None or matrix.buffer_size < 36:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(0 if a + d >= 0 else 180, mirrored)
    return Orientation(90 if b - c > 0 else 270, mirrored)


def turning(orientation: Orientation) -> list[tuple[str, str]]:
    """Return the filters, by name and arguments, that show a stored picture as it is meant."""
    turns = {
        0: [],
        90: [("transpose", "clock")],
        180: [("hflip", ""), ("vflip", "")],
        270: [("transpose", "cclock")],
    }[orientation.rotation_deg]
    return [*turns, ("hflip", "")] if orientation.mirrored else turns


def displayed_size(width: int, height: int, pixel_aspect: Fraction | None, rotation_deg: int) -> tuple[int, int]:
    """Return the size on the screen; pixels that are not square make the picture larger, never smaller."""
    if pixel_aspect and Fraction(1, _MAX_STRETCH) <= pixel_aspect <= _MAX_STRETCH:
        if pixel_aspect > 1:
            width = round(width * pixel_aspect)
        else:
            height = round(height / pixel_aspect)
    return (height, width) if rotation_deg % 180 else (width, height)
