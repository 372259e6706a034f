"""Decides whether a file is a video by decoding it, and measures what is known about it.

# Note [Decoding decides]
Names, media types and headers are claims of whoever made the file. A file is a video when a picture decodes;
its size is that picture's, its length is where its last packet ends, its rate is how its pictures follow each
other. What the header claims is used once: a length well beyond the measured one means that the end is
missing.

This module runs in a child process (see `core.media.inspection`): whatever a hostile file does, it does
there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from core.media import needs, sniff
from core.media.decoding import FirstPicture
from core.media.facts import Limits, VideoFacts, refusal
from core.media.geometry import Orientation, displayed_size, orientation_of
from core.media.measure import Measure
from core.media.reading import open_video, picture_stream, readable_packets
from core.media.remarks import Remarks
from core.media.timing import FrameTiming


@dataclass(frozen=True)
class Probed:
    """The facts of a video, and what making a poster of it needs besides."""

    facts: VideoFacts
    first_frame: av.VideoFrame
    orientation: Orientation
    verdict: needs.Verdict


def probe(path: Path, limits: Limits) -> Probed:
    """Return the measured facts of the video at `path`.

    Raises NotAVideo with one of the refusal codes. A MemoryError passes through: the caller set the limit
    that it met.
    """
    try:
        container = open_video(path)
    except MemoryError:
        raise
    except (FFmpegError, ValueError):
        raise refusal("truncated" if sniff.lacks_index(path) else "not_a_video", limits) from None
    with container:
        brand = container.metadata.get("major_brand", "")
        stream = picture_stream(container)
        if sniff.is_photo(brand):
            raise refusal("not_a_video", limits)
        if stream is None:
            raise refusal("no_video_track" if container.streams.audio else "not_a_video", limits)
        frame, measure, has_remarks = _measured(container, stream, limits)
        mime_type = sniff.mime_type(path, container=container.format.name, brand=brand)
        timing, duration_ms = _timed(container, stream, measure, limits)
        passage = needs.Passage(timing.rate, measure.smooth(), has_remarks)
        verdict = needs.judge(container, stream, frame, passage, path=path, brand=brand)
        facts = _facts(container, stream, frame, timing, duration_ms, mime_type, verdict)
        return Probed(facts, frame, orientation_of(frame), verdict)


def _measured(container: Any, stream: Any, limits: Limits) -> tuple[av.VideoFrame, Measure, bool]:
    """Read the whole file once; decode only until the first picture is there. True: there are telling remarks."""
    measure, decoder, frame = Measure(stream), FirstPicture(stream, limits), None
    remarks = Remarks(stream)
    has_remarks = remarks.tell()
    most_pictures = limits.max_duration_ms * limits.max_frame_rate // 1000 + limits.max_frame_rate
    for packet in readable_packets(container, [stream, *container.streams.audio]):
        measure.add(packet)
        if packet.stream_index == stream.index:
            frame = frame or decoder.from_packet(packet)
            has_remarks = has_remarks or remarks.tell_in(packet)
        if measure.pictures > most_pictures:
            raise refusal("frame_rate_too_high", limits)
    frame = frame or decoder.from_packet(None)
    if frame is None:
        raise refusal("no_decodable_frame", limits)
    return frame, measure, has_remarks


def _timed(container: Any, stream: Any, measure: Measure, limits: Limits) -> tuple[FrameTiming, int]:
    """Return frame timing and duration in milliseconds, or refuse them."""
    timing = measure.timing()
    duration_ms = measure.duration_ms(timing)
    if timing.rate > limits.max_frame_rate:
        raise refusal("frame_rate_too_high", limits)
    if duration_ms > limits.max_duration_ms:
        raise refusal("too_long", limits)
    if _claimed_ms(container, stream) - duration_ms > max(1000, duration_ms // 10):
        raise refusal("truncated", limits)
    return timing, duration_ms


def _facts(
    container: Any,
    stream: Any,
    frame: av.VideoFrame,
    timing: FrameTiming,
    duration_ms: int,
    mime_type: str,
    verdict: needs.Verdict,
) -> VideoFacts:
    rotation_deg = orientation_of(frame).rotation_deg
    width, height = displayed_size(frame.width, frame.height, stream.sample_aspect_ratio, rotation_deg)
    return VideoFacts(
        duration_ms=duration_ms,
        width_px=width,
        height_px=height,
        rotation_deg=rotation_deg,
        frame_rate_num=timing.rate.numerator,
        frame_rate_den=timing.rate.denominator,
        variable_frame_rate=timing.variable,
        video_codec=_codec_name(stream),
        audio_codec=_sound_name(container),
        mime_type=mime_type,
        need=verdict.need.value,
        reveals_metadata=verdict.reveals_metadata,
    )


def _claimed_ms(container: Any, stream: Any) -> int:
    """Return the length the header claims for pictures and sound; 0 when it claims none, as recordings do."""
    lengths = [each.duration * each.time_base for each in (stream, *container.streams.audio) if each.duration]
    if lengths:
        return round(max(lengths) * 1000)
    return round((container.duration or 0) * 1000 / av.time_base)


def _sound_name(container: Any) -> str:
    streams = [needs.chosen_sound(container), *container.streams.audio]
    return next((_codec_name(stream) for stream in streams if stream), "")


def _codec_name(stream: Any) -> str:
    """Return FFmpeg's name of the codec, whichever library decodes it: h264, hevc, vp9, av1, aac, opus …"""
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
