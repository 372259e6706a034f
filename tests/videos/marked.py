"""Videos whose every picture says which one it is, and what a person would see and hear when playing them.

Each corner has its color (red, green / blue, yellow, as one reads), and a white bar in the middle grows from left to
right with the time. The sound ticks twice a second.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from core.media.canvas import palette_bytes
from core.media.clips import write_clip
from core.media.figure import Scene
from core.media.geometry import orientation_of, turning
from core.media.graphs import PictureGraph

CORNERS = ("red", "green", "blue", "yellow")
SIZE = (160, 90)
SECONDS = 1.0

_COLORS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200), "yellow": (200, 200, 30)}
_PALETTE = [*_COLORS.values(), (0, 0, 0), (255, 255, 255)]
_BLACK, _WHITE = 4, 5
LOOK = (64, 64)
_LOUD = 0.05


@dataclass(frozen=True)
class Seen:
    """One picture as it is on the screen: when, how far the bar is (0 to 1), and the colors of its corners."""

    at_s: float
    bar: float
    corners: tuple[str, ...]


class Marked(Scene):
    """Paints corners and bar; the bar is full after `seconds`."""

    def __init__(self, size: tuple[int, int] = SIZE, *, seconds: float = SECONDS):
        super().__init__(size, beat_s=0.5)
        self.palette, self._seconds = palette_bytes(_PALETTE), seconds

    def paint(self, at_s: float, stride: int) -> bytearray:
        half, white = self.width // 2, round(self.width * min(1.0, at_s / self._seconds))
        rest = bytes(stride - self.width)
        upper = bytes(half) + bytes((1,)) * (self.width - half) + rest
        lower = bytes((2,)) * half + bytes((3,)) * (self.width - half) + rest
        bar = bytes((_WHITE,)) * white + bytes((_BLACK,)) * (self.width - white) + rest
        third = self.height // 3
        return bytearray(upper * third + bar * (self.height - 2 * third) + lower * third)


def marked(path: Path, *, size: tuple[int, int] = SIZE, seconds: float = SECONDS, **options: Any) -> Path:
    """Write such a video; the options are those of `write_clip`."""
    return write_clip(path, size=size, seconds=seconds, scene=Marked(size, seconds=seconds), **options)


def repacked(
    sources: Path | list[Path],
    target: Path,
    *,
    shift_s: Fraction | float = 0,
    sound_shift_s: Fraction | float = 0,
    copies: int = 1,
    options: dict[str, str] | None = None,
) -> Path:
    """Copy the packets of one file, or of several one after the other, into another one, moved in time."""
    paths = sources if isinstance(sources, list) else [sources]
    with av.open(str(target), "w", options=options or {}) as written:
        tracks: dict[int, list[Any]] = {}
        for number, path in enumerate(paths):
            with av.open(str(path)) as read:
                for stream in [] if tracks else read.streams:
                    tracks[stream.index] = [
                        written.add_stream_from_template(stream, opaque=True) for _ in range(copies)
                    ]
                for packet in read.demux():
                    if packet.size:
                        late = shift_s + number * SECONDS + (sound_shift_s if packet.stream.type == "audio" else 0)
                        _write(written, packet, tracks[packet.stream_index], round(late / packet.time_base))
    return target


def seen(path: Path) -> list[Seen]:
    """Return every picture as a player shows it."""
    with av.open(str(path)) as container:
        tick = container.streams.video[0].time_base
        frames = list(container.decode(video=0))
    width, height = LOOK
    graph = PictureGraph(
        lambda frame: [*turning(orientation_of(frame)), ("scale", f"{width}:{height}"), ("format", "rgb24")], tick
    )
    return [_look(frame, float(frame.pts * tick)) for original in frames for frame in graph.push(original)]


def tiles_seen(sprite: Path, columns: int, count: int, tile: tuple[int, int]) -> list[Seen]:
    """Return the pictures in the first `count` tiles of a sprite; their moment is unknown and said to be 0."""
    width, height = tile
    with av.open(str(sprite)) as container:
        whole = next(container.decode(video=0))
    seen_tiles = []
    for number in range(count):
        row, column = divmod(number, columns)
        crop = ("crop", f"{width}:{height}:{column * width}:{row * height}")
        graph = PictureGraph(
            lambda frame, crop=crop: [crop, ("scale", "64:64"), ("format", "rgb24")], Fraction(1, 1000)
        )
        seen_tiles.append(_look(graph.push(whole)[0], 0.0))
    return seen_tiles


def shown_size(path: Path) -> tuple[int, int]:
    """Return the size of the first picture on the screen, pixels being square."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert container.streams.video[0].sample_aspect_ratio in {None, 1}
    turned = orientation_of(frame).rotation_deg % 180
    return (frame.height, frame.width) if turned else (frame.width, frame.height)


def ticks_heard(path: Path) -> list[float]:
    """Return when each tick of the sound begins, in seconds."""
    loud: list[float] = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        for frame in container.decode(audio=0):
            begin = float(frame.pts * frame.time_base)
            for part in resampler.resample(frame):
                samples = memoryview(bytes(part.planes[0])).cast("f")[: part.samples]
                loud += [begin + place / 48_000 for place, level in enumerate(samples) if abs(level) > _LOUD]
    return loud[:1] + [after for before, after in pairwise(loud) if after - before > 0.2]


def _write(written: Any, packet: Any, tracks: list[Any], shift: int) -> None:
    pts, dts, tick, content = packet.pts + shift, packet.dts + shift, packet.time_base, bytes(packet)
    for track in tracks:
        copy = av.Packet(content)
        copy.pts, copy.dts, copy.time_base, copy.duration = pts, dts, tick, packet.duration
        copy.is_keyframe = packet.is_keyframe
        copy.stream = track
        written.mux(copy)


def _look(frame: Any, at_s: float) -> Seen:
    plane = frame.planes[0]
    return looked_at(bytes(plane), at_s, row_bytes=plane.line_size)


def looked_at(rows: bytes, at_s: float, *, row_bytes: int, pixel_bytes: int = 3) -> Seen:
    """Return what is seen on a picture that was scaled to `LOOK`; each pixel begins with red, green, blue."""
    width, height = LOOK

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        place = y * row_bytes + pixel_bytes * x
        red, green, blue = rows[place : place + 3]
        return red, green, blue

    bar = sum(sum(pixel(x, height // 2)) for x in range(width)) / (3 * 255 * width)
    edges = [(width // 8, height // 8), (width * 7 // 8, height // 8)]
    edges += [(x, height * 7 // 8) for x, _ in edges]
    return Seen(at_s, bar, tuple(_nearest(pixel(*edge)) for edge in edges))


def _nearest(color: tuple[int, int, int]) -> str:
    def distance(name: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(color, _COLORS[name], strict=True))

    return min(_COLORS, key=distance)
