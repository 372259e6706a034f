"""A small canvas of palette indices on which convex shapes are filled.

# Note [Drawing without an imaging library]
The demo draws its own videos, and neither an imaging library nor an array library is among our requirements.
A palette image needs one byte a pixel, a convex shape is one run of equal bytes a row, and assigning a slice
of a `bytearray` is as fast as copying memory. Scenes are painted at twice their size; whoever shrinks the
picture gets smooth edges for nothing.
"""

import itertools
import math

Point = tuple[float, float]
Color = tuple[int, int, int]

_ARC_STEPS = 10


class Canvas:
    """Palette indices, row after row; `stride` is the number of bytes from one row to the next."""

    def __init__(self, width: int, height: int, stride: int):
        self.width, self.height, self.stride = width, height, stride
        self.pixels = bytearray(stride * height)

    def copy(self) -> "Canvas":
        """Return a canvas with the same picture that can be painted on separately."""
        twin = Canvas.__new__(Canvas)
        twin.width, twin.height, twin.stride = self.width, self.height, self.stride
        twin.pixels = bytearray(self.pixels)
        return twin

    def row(self, y: int, color: int) -> None:
        """Fill one whole row."""
        self.pixels[y * self.stride : (y + 1) * self.stride] = bytes((color,)) * self.stride

    def polygon(self, corners: list[Point], color: int) -> None:
        """Fill a convex polygon; what lies outside the canvas is cut off."""
        top = max(0, math.ceil(min(y for _, y in corners)))
        bottom = min(self.height - 1, math.floor(max(y for _, y in corners)))
        if bottom < top:
            return
        left, right = [math.inf] * (bottom - top + 1), [-math.inf] * (bottom - top + 1)
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            _widen(start, end, top, bottom, left, right)
        run = bytes((color,)) * self.width
        for y, (begin, stop) in enumerate(zip(left, right, strict=True), start=top):
            if begin <= stop:
                first, last = max(0, round(begin)), min(self.width, round(stop))
                if first < last:
                    self.pixels[y * self.stride + first : y * self.stride + last] = run[: last - first]

    def limb(self, start: Point, end: Point, start_radius: float, end_radius: float, color: int) -> None:
        """Fill the hull of two discs: a line with round ends that may grow thinner."""
        self.polygon(_hull(start, end, start_radius, end_radius), color)

    def disc(self, center: Point, radius: float, color: int, *, flatness: float = 1.0) -> None:
        """Fill a disc, or an ellipse whose height is `flatness` times its width."""
        x, y = center
        self.polygon([(px, y + (py - y) * flatness) for px, py in _arc(x, y, radius, 0, math.tau, 40)], color)

    def stroke(self, points: list[Point], radius: float, color: int) -> None:
        """Draw a line through `points` with round joints."""
        for start, end in itertools.pairwise(points):
            self.limb(start, end, radius, radius, color)


def blend(start: Color, end: Color, share: float) -> Color:
    """Return the color `share` (0 to 1) of the way from `start` to `end`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue


def palette_bytes(colors: list[Color]) -> bytes:
    """Return 256 entries of blue, green, red, alpha: what FFmpeg's `pal8` keeps on little-endian machines."""
    filled = colors + [(0, 0, 0)] * (256 - len(colors))
    return b"".join(bytes((blue, green, red, 255)) for red, green, blue in filled)


def _arc(x: float, y: float, radius: float, begin: float, end: float, steps: int) -> list[Point]:
    angles = (begin + (end - begin) * step / steps for step in range(steps + 1))
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def _hull(start: Point, end: Point, start_radius: float, end_radius: float) -> list[Point]:
    length = math.dist(start, end)
    if length <= abs(start_radius - end_radius):
        (x, y), radius = (start, start_radius) if start_radius >= end_radius else (end, end_radius)
        return _arc(x, y, radius, 0, math.tau, 2 * _ARC_STEPS)
    heading = math.atan2(end[1] - start[1], end[0] - start[0])
    opening = math.acos((start_radius - end_radius) / length)
    return _arc(*end, end_radius, heading - opening, heading + opening, _ARC_STEPS) + _arc(
        *start, start_radius, heading + opening, heading + math.tau - opening, _ARC_STEPS
    )


def _widen(start: Point, end: Point, top: int, bottom: int, left: list[float], right: list[float]) -> None:
    if start[1] > end[1]:
        start, end = end, start
    first, last = max(top, math.ceil(start[1])), min(bottom, math.floor(end[1]))
    if first > last:
        return
    slope = (end[0] - start[0]) / (end[1] - start[1]) if end[1] > start[1] else 0.0
    x = start[0] + (first - start[1]) * slope
    for row in range(first - top, last - top + 1):
        if x < left[row]:
            left[row] = x
        if x > right[row]:
            right[row] = x
        x += slope
