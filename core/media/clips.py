"""Makes small real videos on the spot for the demo and the tests: no file of the repository is a video."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.filter import Graph

from core.media import metronome
from core.media.figure import OVERSAMPLING, Scene

Index = Literal["front", "end", "fragments"]
Colors = Literal["ordinary", "pq", "hlg"]

#: The pixel format of a codec that has no use for the common one.
_PIXEL_FORMATS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}
#: The quickest settings that still look clean.
_SPEED = {
    "libx264": {"preset": "veryfast", "crf": "22"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "crf": "20"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "32"},
    "libsvtav1": {"preset": "12", "svtav1-params": "log-level=0"},
}
_BITS_PER_SECOND = {"libvpx": 1_000_000, "mjpeg": 4_000_000}
_MOVFLAGS = {
    "front": {"movflags": "+faststart"},
    "end": {},
    "fragments": {"movflags": "+frag_keyframe+empty_moov+default_base_moof"},
}
#: Turns the upright picture so that a player turning it clockwise by the key shows it upright again.
_TURNS = {0: [], 90: ["cclock"], 180: ["clock", "clock"], 270: ["clock"]}
# FFmpeg's numbers for (primaries, transfer, matrix); see AVColorPrimaries and its neighbors in
# libavutil/pixfmt.h.
_COLORS = {"ordinary": (1, 1, 1), "pq": (9, 16, 9), "hlg": (9, 18, 9)}
_HDR_CURVES = {"pq": "smpte2084", "hlg": "arib-std-b67"}
_TICKS_PER_SECOND = 90_000
_BEAT_S = 0.5


@contextmanager
def unchanged_priority() -> Iterator[None]:
    """Give the thread its scheduling back at the end.

    SVT-AV1 gives root's thread the highest real-time priority and leaves it that: all that it does or starts from then
    on goes before every other process, and a program that spins for a moment then takes the machine for good.
    """
    if not hasattr(os, "sched_getscheduler"):  # macOS, where the encoder does not do it
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


@unchanged_priority()
def write_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 180),
    frame_rate: int | Fraction = 30,
    video_codec: str = "libx264",
    codec_options: dict[str, str] | None = None,
    codec_tag: str = "",
    audio_codec: str | None = "aac",
    audio_layout: str = "mono",
    rotation_deg: int = 0,
    mirrored: bool = False,
    scene: Scene | None = None,
    pixel_format: str | None = None,
    pixel_aspect: Fraction | None = None,
    colors: Colors = "ordinary",
    uneven: bool = False,
    index: Index = "front",
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a video to `path`, whose suffix chooses the container (mp4 mov webm mkv avi 3gp); return it.

    `size` is the picture as one sees it, before `pixel_aspect` stretches it; with a rotation it is stored
    turned (and mirrored, as some front cameras do), and the file says how to show it upright. Without a scene
    the picture is FFmpeg's moving test card. `audio_codec=None` makes a silent video, `uneven` one whose
    second half has half the frames, `index="end"` leaves the mp4 index behind the pictures. `codec_tag` is the
    name by which the file calls its codec, as in "hvc1"; the colors other than "ordinary" are those of HDR.
    """
    rate = Fraction(frame_rate)
    layout = _MOVFLAGS[index] if path.suffix in {".mp4", ".mov", ".3gp"} else {}
    with av.open(str(path), "w", container_options=layout) as container:
        container.metadata.update(metadata or {})
        video: Any = container.add_stream(
            video_codec, rate=rate, options=_SPEED.get(video_codec, {}) | (codec_options or {})
        )
        video.width, video.height = size if rotation_deg % 180 == 0 else size[::-1]
        video.pix_fmt = pixel_format or _PIXEL_FORMATS.get(video_codec, "yuv420p")
        video.codec_context.time_base = Fraction(1, _TICKS_PER_SECOND) if uneven else 1 / rate
        _set_up(video.codec_context, video_codec, rate, colors, pixel_aspect)
        if codec_tag:
            video.codec_context.codec_tag = codec_tag
        if rotation_deg or mirrored:
            video.set_display_rotation(-rotation_deg, hflip=mirrored)
        if audio_codec:
            _write_sound(container, audio_codec, seconds, scene.beat_s if scene else _BEAT_S, audio_layout)
        steps = _steps(size, video.pix_fmt, rotation_deg=rotation_deg, mirrored=mirrored, colors=colors)
        _write_pictures(container, video, _pictures(scene, size, rate, steps), round(seconds * rate), uneven)
    return path


def write_sound(path: Path, *, seconds: float = 2.0, audio_codec: str = "aac") -> Path:
    """Write a file that has sound and no picture, and return its path."""
    with av.open(str(path), "w") as container:
        _write_sound(container, audio_codec, seconds, _BEAT_S, "mono")
    return path


def _set_up(encoder: Any, video_codec: str, rate: Fraction, colors: Colors, pixel_aspect: Fraction | None) -> None:
    if video_codec == "libvpx":
        encoder.thread_count = 1  # its threads wait for one another in a busy loop, minutes on a machine that is busy
    encoder.gop_size = max(1, round(rate))  # a key frame a second: seeking stays quick
    encoder.bit_rate = _BITS_PER_SECOND.get(video_codec, 0)
    encoder.color_primaries, encoder.color_trc, encoder.colorspace = _COLORS[colors]
    if pixel_aspect:
        encoder.sample_aspect_ratio = pixel_aspect


def _steps(
    size: tuple[int, int], pixel_format: str, *, rotation_deg: int, mirrored: bool, colors: Colors
) -> list[tuple[str, str]]:
    """Return the filters from a picture as it is painted to one as it is stored."""
    target = "out_color_matrix=bt709"
    if colors != "ordinary":
        target = f"out_primaries=bt2020:out_transfer={_HDR_CURVES[colors]}:out_color_matrix=bt2020nc"
    steps = [("scale", f"{size[0]}:{size[1]}:flags=area:{target}"), ("format", pixel_format)]
    if mirrored:
        steps.append(("hflip", ""))
    return steps + [("transpose", turn) for turn in _TURNS[rotation_deg % 360]]


def _pictures(
    scene: Scene | None, size: tuple[int, int], rate: Fraction, steps: list[tuple[str, str]]
) -> Iterator[Any]:
    """Yield stored pictures without end, one every 1 / `rate` seconds."""
    graph = Graph()
    if scene is None:
        source = graph.add("testsrc2", f"size={size[0]}x{size[1]}:rate={rate}")
    else:
        width, height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        source = graph.add_buffer(width=width, height=height, format="pal8", time_base=1 / rate)  # type: ignore[arg-type]
    graph.link_nodes(source, *(graph.add(*step) for step in steps), graph.add("buffersink")).configure()
    number = 0
    while True:
        if scene is not None:
            graph.vpush(_painted(scene, float(number / rate), number))
        yield graph.vpull()
        number += 1


def _painted(scene: Scene, at_s: float, number: int) -> av.VideoFrame:
    frame: Any = av.VideoFrame(scene.width, scene.height, "pal8")
    frame.planes[0].update(scene.paint(at_s, frame.planes[0].line_size))
    frame.planes[1].update(scene.palette)
    frame.pts = number
    return frame


def _write_pictures(container: Any, video: Any, pictures: Iterator[Any], count: int, uneven: bool) -> None:
    rate, base = video.codec_context.framerate, video.codec_context.time_base
    for number in range(count):
        if uneven and number > count // 2 and number % 2:
            next(pictures)
            continue
        frame = next(pictures)
        frame.time_base, frame.pts, frame.pict_type = base, round(number / rate / base), 0
        container.mux(video.encode(frame))
    container.mux(video.encode(None))


def _write_sound(container: Any, audio_codec: str, seconds: float, beat_s: float, layout: str) -> None:
    audio = container.add_stream(audio_codec, rate=metronome.SAMPLE_RATE)
    audio.layout = layout
    samples = metronome.ticks(seconds, beat_s)
    whole = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    whole.planes[0].update(samples.tobytes())
    whole.sample_rate, whole.pts = metronome.SAMPLE_RATE, 0
    whole.time_base = Fraction(1, metronome.SAMPLE_RATE)
    audio.codec_context.open()
    resampler = av.AudioResampler(
        format=audio.format,
        layout=layout,
        rate=metronome.SAMPLE_RATE,
        frame_size=audio.codec_context.frame_size or None,
    )
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
