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
from av.filter import Graph

from core.media.geometry import Orientation
from core.media.probe import Probed, open_video, picture_stream

LONG_SIDE_PX = 640

_DARK = 26  # mean brightness of 255 under which a picture says nothing: a covered lens, a fade from black
_MAX_DECODED, _MAX_READ = 90, 500
# FFmpeg's numbers (libavutil/pixfmt.h): the curves PQ and HLG, and the primaries of BT.2020.
_HDR_CURVES, _WIDE_GAMUT = {16, 18}, 9


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
    return _encoded(_upright(best, probed))


def _candidates(container: Any, duration_ms: int) -> Iterator[av.VideoFrame]:
    stream: Any = picture_stream(container)
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "NONREF"  # near enough, and half the work
    for moment_ms in (min(1000, duration_ms // 10), duration_ms // 3, duration_ms * 2 // 3):
        with contextlib.suppress(FFmpegError):
            frame = _frame_at(container, stream, Fraction(moment_ms, 1000))
            if frame is not None:
                yield frame


def _frame_at(container: Any, stream: Any, moment_s: Fraction) -> av.VideoFrame | None:
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


def _upright(frame: av.VideoFrame, probed: Probed) -> av.VideoFrame:
    """Return the picture as it is on the screen, small, in the colors of a JPEG.

    JFIF has one meaning only: full range, the BT.601 matrix, and to a browser the primaries and tone curve of
    sRGB, which BT.709's stand for here. So pictures of a wider gamut or in HDR become what an ordinary screen
    can show.
    """
    width, height = _poster_size(probed.facts.width_px, probed.facts.height_px)
    if probed.facts.rotation_deg % 180:
        width, height = height, width
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 1000),
    )
    scale = f"{width}:{height}:flags=area:out_range=full:out_color_matrix=bt601"
    if frame.color_trc in _HDR_CURVES or frame.color_primaries == _WIDE_GAMUT:
        scale += ":out_primaries=bt709:out_transfer=bt709"
    steps = [("scale", scale), ("format", "yuvj420p"), *_turning(probed.orientation)]
    graph.link_nodes(source, *(graph.add(*step) for step in steps), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def _turning(orientation: Orientation) -> list[tuple[str, str]]:
    turns = {
        0: [],
        90: [("transpose", "clock")],
        180: [("hflip", ""), ("vflip", "")],
        270: [("transpose", "cclock")],
    }[orientation.rotation_deg]
    return [*turns, ("hflip", "")] if orientation.mirrored else turns


def _poster_size(width: int, height: int) -> tuple[int, int]:
    share = min(1.0, LONG_SIDE_PX / max(width, height))
    return max(2, round(width * share)), max(2, round(height * share))


def _encoded(frame: av.VideoFrame) -> bytes:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base, encoder.color_range = Fraction(1, 25), 2
    encoder.qmin, encoder.qmax = 4, 4  # of 2 (best) to 31: no edges to be seen at this size, some 40 KB
    encoder.thread_count = 1
    frame.pts, frame.time_base, frame.pict_type = 0, Fraction(1, 25), 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
