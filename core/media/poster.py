"""The still picture of a video for lists: one upright frame as a JPEG.

# Note [What a poster costs]
Pictures are found by seeking, and at most a second or so of them is decoded for each of three tries, one at a
time. A video of an hour costs what a video of ten seconds costs.
"""

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from core.media.color import scaled_for_jpeg
from core.media.geometry import Orientation, turning
from core.media.graphs import PictureGraph
from core.media.probe import Probed
from core.media.reading import open_video, picture_stream

LONG_SIDE_PX = 640

_DARK = 26  # mean brightness of 255 under which a picture says nothing: a covered lens, a fade from black
_MAX_DECODED, _MAX_READ = 90, 500


def poster_jpeg(path: Path, probed: Probed) -> bytes:
    """Return a JPEG of the video, upright, its longer side at most `LONG_SIDE_PX`.

    The picture is from a second (or a tenth of the video) after its start, or from later where that is black.
    """
    best, brightness = probed.first_frame, -1
    with open_video(path) as container:
        for frame in _candidates(container, probed.facts.duration_ms):
            light = _brightness(frame)
            if light > brightness:
                best, brightness = frame, light
            if light >= _DARK:
                break
    size = size_within(LONG_SIDE_PX, probed.facts.width_px, probed.facts.height_px)
    return jpeg(jpeg_pictures(probed.orientation, size).push(best)[0])


def _candidates(container: Any, duration_ms: int) -> Iterator[av.VideoFrame]:
    stream: Any = picture_stream(container)
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONREF"  # near enough, and half the work
    for moment_ms in (min(1000, duration_ms // 10), duration_ms // 3, duration_ms * 2 // 3):
        with contextlib.suppress(FFmpegError):
            frame = frame_at(container, stream, Fraction(moment_ms, 1000))
            if frame is not None:
                yield frame


def frame_at(container: Any, stream: Any, moment_s: Fraction) -> av.VideoFrame | None:
    """Return the picture shown at `moment_s`, or the last one before the work for it becomes too much."""
    container.seek(round(moment_s * av.time_base))
    frame = None
    for number, frame in enumerate(_decoded(container, stream), start=1):
        if number >= _MAX_DECODED or frame.pts is None or frame.pts * stream.time_base >= moment_s:
            break
    return frame


def _decoded(container: Any, stream: Any) -> Iterator[av.VideoFrame]:
    for packet in itertools.islice(container.demux(stream), _MAX_READ):
        with contextlib.suppress(FFmpegError):
            yield from stream.codec_context.decode(packet)


def _brightness(frame: av.VideoFrame) -> int:
    """Return the mean brightness, 0 to 255."""
    plane = frame.reformat(32, 32, "gray", dst_color_range="JPEG").planes[0]
    rows = bytes(plane)
    return sum(sum(rows[y * plane.line_size : y * plane.line_size + 32]) for y in range(32)) // 1024


def jpeg_pictures(orientation: Orientation, size: tuple[int, int]) -> PictureGraph:
    """Return what turns stored pictures into upright ones, `size` large, in the colors of a JPEG."""
    stored = size[::-1] if orientation.rotation_deg % 180 else size
    return PictureGraph(lambda frame: [*scaled_for_jpeg(frame, stored), *turning(orientation)], Fraction(1, 1000))


def size_within(long_side_px: int, width_px: int, height_px: int) -> tuple[int, int]:
    """Return the size whose longer side is at most `long_side_px`; nothing is enlarged."""
    share = min(1.0, long_side_px / max(width_px, height_px))
    return max(2, round(width_px * share)), max(2, round(height_px * share))


def jpeg(frame: av.VideoFrame) -> bytes:
    """Return the picture, which has the colors of a JPEG, as one."""
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base, encoder.color_range = Fraction(1, 25), 2
    encoder.qmin, encoder.qmax = 4, 4  # of 2 (best) to 31: no edges to be seen at this size, some 40 KB
    encoder.thread_count = 1
    frame.pts, frame.time_base, frame.pict_type = 0, Fraction(1, 25), 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
