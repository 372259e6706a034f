"""Makes the small pictures along the timeline: one JPEG that holds them all, and the WebVTT map to it."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.media.confined import run_confined
from core.media.facts import Limits

MAX_TILES = 100
MAX_TILE_SIDE_PX = 160

_MIN_INTERVAL_MS = 500
_USUAL_LIMITS = Limits()


@dataclass(frozen=True)
class Thumbnails:
    """A sprite: `count` tiles of one size, row after row; tile n shows the picture at n × `interval_ms`."""

    interval_ms: int
    columns: int
    rows: int
    tile_width_px: int
    tile_height_px: int
    count: int


def make_thumbnails(source: Path, target: Path, *, duration_ms: int, limits: Limits = _USUAL_LIMITS) -> Thumbnails:
    """Leave a JPEG of at most 100 upright tiles of the video at `target` and return how they are laid out.

    Raises NotAVideo or InspectionUnavailable; then there is no file at `target`, nor any other.
    """
    interval_ms = max(_MIN_INTERVAL_MS, math.ceil(duration_ms / MAX_TILES))
    count = max(1, math.ceil(duration_ms / interval_ms))
    return run_confined(
        "thumbnails",
        source,
        target,
        check=lambda said: _checked(said, interval_ms, count),
        limits=limits,
        interval_ms=interval_ms,
        count=count,
    )


def thumbnails_vtt(thumbnails: Thumbnails, duration_ms: int, sprite_url: str) -> str:
    """Return the WebVTT in which each cue names the sprite and, as a media fragment, the tile for its time."""
    cues = ["WEBVTT"]
    width, height = thumbnails.tile_width_px, thumbnails.tile_height_px
    for number in range(thumbnails.count):
        begin_ms = number * thumbnails.interval_ms
        end_ms = duration_ms if number == thumbnails.count - 1 else begin_ms + thumbnails.interval_ms
        if end_ms <= begin_ms:
            break
        row, column = divmod(number, thumbnails.columns)
        place = f"{sprite_url}#xywh={column * width},{row * height},{width},{height}"
        cues.append(f"{_timestamp(begin_ms)} --> {_timestamp(end_ms)}\n{place}")
    return "\n\n".join(cues) + "\n"


def _checked(said: dict[str, Any], interval_ms: int, count: int) -> Thumbnails:
    thumbnails = Thumbnails(**said["thumbnails"]) if "thumbnails" in said else None
    if thumbnails is None:
        raise ValueError("no thumbnails")
    numbers = [getattr(thumbnails, field.name) for field in fields(thumbnails)]
    sound = (
        all(type(number) is int and number > 0 for number in numbers)
        and (thumbnails.interval_ms, thumbnails.count) == (interval_ms, count)
        and (thumbnails.rows - 1) * thumbnails.columns < count <= thumbnails.rows * thumbnails.columns
        and max(thumbnails.tile_width_px, thumbnails.tile_height_px) <= MAX_TILE_SIDE_PX
    )
    if not sound:
        raise ValueError("a field of Thumbnails is out of range")
    return thumbnails


def _timestamp(moment_ms: int) -> str:
    minutes, rest_ms = divmod(moment_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest_ms // 1000:02}.{rest_ms % 1000:03}"
