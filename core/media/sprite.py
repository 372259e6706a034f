"""Collects small pictures along a video and lays them out in one large one.

# Note [What a sprite costs]
A short video is decoded once from end to end. Of a longer one only the pictures that are wanted are decoded, each from
the key frame before it and at most a second or two of pictures on: a video of hours costs about what one of a minute
does, and its tiles may be a little early.

This module runs in a child process (see `core.media.confined`).
"""

import contextlib
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from av.filter import Graph
from av.video.format import VideoFormat

from core.media.facts import Limits
from core.media.poster import frame_at, jpeg, jpeg_pictures, size_within
from core.media.probe import Probed, probe
from core.media.reading import open_video, picture_stream, readable_packets
from core.media.thumbnails import MAX_TILE_SIDE_PX

_COLUMNS = 10
_SHORT_MS = 30_000


def sprite_jpeg(path: Path, limits: Limits, *, interval_ms: int, count: int) -> tuple[bytes, dict[str, int]]:
    """Return a JPEG of `count` tiles, one every `interval_ms`, and the fields of `Thumbnails`."""
    probed = probe(path, limits)
    size = _even(size_within(MAX_TILE_SIDE_PX, probed.facts.width_px, probed.facts.height_px))
    moments = [Fraction(number * interval_ms, 1000) for number in range(count)]
    columns = min(_COLUMNS, count)
    rows = math.ceil(count / columns)
    graph, upright = _tiling(size, columns, rows), jpeg_pictures(probed.orientation, size)
    for number, frame in enumerate(_frames(path, probed, moments)):
        tile = upright.push(frame)[0]
        tile.pts, tile.time_base = number, Fraction(1)
        graph.vpush(tile)
    graph.vpush(None)
    layout = {"interval_ms": interval_ms, "columns": columns, "rows": rows, "count": count}
    return jpeg(graph.vpull()), {**layout, "tile_width_px": size[0], "tile_height_px": size[1]}


def _frames(path: Path, probed: Probed, moments: list[Fraction]) -> Iterator[Any]:
    """Yield exactly one picture for each moment: the one shown then, or the last one before it that decodes."""
    with open_video(path) as container:
        stream: Any = picture_stream(container)
        stream.codec_context.thread_count = 1
        if probed.facts.duration_ms > _SHORT_MS:
            yield from _sought(container, stream, probed.first_frame, moments)
        else:
            yield from _shown(_decoded(container, stream), probed.first_frame, stream.time_base, moments)


def _shown(frames: Iterator[Any], last: Any, tick: Fraction, moments: list[Fraction]) -> Iterator[Any]:
    following = next(frames, None)
    for moment in moments:
        while following is not None and (following.pts is None or following.pts * tick <= moment):
            last, following = following, next(frames, None)
        yield last


def _sought(container: Any, stream: Any, last: Any, moments: list[Fraction]) -> Iterator[Any]:
    for moment in moments:
        with contextlib.suppress(FFmpegError):
            last = frame_at(container, stream, moment) or last
        yield last


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    for packet in itertools.chain(readable_packets(container, [stream]), [None]):
        with contextlib.suppress(FFmpegError):
            yield from stream.codec_context.decode(packet)


def _tiling(size: tuple[int, int], columns: int, rows: int) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=size[0], height=size[1], format=VideoFormat("yuvj420p"), time_base=Fraction(1))
    tile = graph.add("tile", f"{columns}x{rows}")
    graph.link_nodes(source, tile, graph.add("buffersink")).configure()
    return graph


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size in whole samples of color, which are two pixels wide and high."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)
