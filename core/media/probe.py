"""Decides whether a file is a video by decoding it, and measures what is known about it.

# Note [Decoding decides]
Names, media types and headers are claims of whoever made the file. A file is a video when a picture decodes;
its size is that picture's, its length is where its last packet ends, its rate is how its pictures follow each
other. What the header claims is used once: a length well beyond the measured one means that the end is
missing.

# Note [The player's timeline]
A browser counts from zero even when the first packet comes later (tried in Chromium with MP4 and WebM that
start 0.5, 5 and 100 s late), so the length is where the last packet ends, and not how long all packets take
together.

# Note [No other file is opened]
Some formats are lists of other files or addresses, and FFmpeg would fetch them: a playlist named .mp4 could
show another person's video. Only formats that hold their own pictures are allowed by name, only the `file`
protocol, and references from one QuickTime file to another stay switched off.

This module runs in a child process (see `core.media.inspection`): whatever a hostile file does, it does
there.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import EOFError as EndOfFile
from av.error import FFmpegError

from core.media import needs, sniff
from core.media.facts import Limits, VideoFacts, refusal
from core.media.geometry import Orientation, displayed_size, orientation_of
from core.media.timing import FrameTiming, measure_timing

_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi",
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
_MAX_GAP_S = Fraction(1, 4)  # some browsers let the sound run ahead over longer ones
_MAX_BROKEN_PACKETS = 500
_MAX_TIMED_PICTURES = 200_000  # 8 bytes each; nearly an hour at 60 pictures a second, enough for any rate


class _Measure:
    """What the packets of a file tell while they pass by; its size does not grow with the file."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ends: dict[int, int] = {}  # in ticks: fractions would cost more than reading the packets
        self._ticks: dict[int, Fraction] = {}
        self._moments = array("q")
        self._picture_ticks = 0
        self._uneven: set[int] = set()
        self._seen: set[int] = set()
        self.pictures = 0

    def add(self, packet: Any) -> None:
        moment, length, number = packet.pts, packet.duration or 0, packet.stream_index
        if moment is None:
            self._uneven.add(number)
            moment = packet.dts
            if moment is None:
                return
        self._look(packet, moment, length, number)
        if number == self._stream.index:
            self.pictures += 1
            self._picture_ticks = length or self._picture_ticks
            if self.pictures <= _MAX_TIMED_PICTURES:
                self._moments.append(moment)
        if moment + length > self._ends.get(number, 0):
            self._ends[number] = moment + length
            self._ticks[number] = packet.time_base

    def _look(self, packet: Any, moment: int, length: int, number: int) -> None:
        """Note whether a player must be clever about this packet: hidden, after a gap, or not where to begin."""
        is_picture = number == self._stream.index
        if number not in self._seen:
            self._seen.add(number)
            late = moment * packet.time_base > _MAX_GAP_S
            rough = not packet.is_keyframe if is_picture else late
        elif is_picture:
            rough = packet.is_discard
        else:
            most = float(_MAX_GAP_S / packet.time_base)
            rough = length > most or moment - self._ends.get(number, 0) > most
        if rough:
            self._uneven.add(number)

    def smooth(self) -> frozenset[int]:
        """Return the streams whose packets can be copied as they come."""
        return frozenset(self._seen - self._uneven)

    def timing(self) -> FrameTiming:
        tick, stream = self._stream.time_base, self._stream
        length = Fraction(1) / (self._picture_ticks * tick) if self._picture_ticks else None
        return measure_timing(self._moments, tick, [length, stream.average_rate, stream.guessed_rate])

    def duration_ms(self, timing: FrameTiming) -> int:
        end_s = max((end * self._ticks[number] for number, end in self._ends.items()), default=Fraction(0))
        if not self._picture_ticks:
            # The pictures of a WebM name no length: the last one is shown as long as the others.
            own_end = self._ends.get(self._stream.index, 0) * self._stream.time_base
            end_s = max(end_s, own_end + 1 / timing.rate)
        return max(1, round(end_s * 1000))


@dataclass(frozen=True)
class Probed:
    """The facts of a video, and what making a poster of it needs besides."""

    facts: VideoFacts
    first_frame: av.VideoFrame
    orientation: Orientation
    verdict: needs.Verdict


def open_video(path: Path) -> Any:
    """Open the file for reading, with nothing but the file (see Note [No other file is opened])."""
    return av.open(f"file:{path.absolute()}", options=_OPTIONS, metadata_errors="replace")


def picture_stream(container: Any) -> Any | None:
    """Return the first stream of moving pictures, or None; the cover of a sound file is none."""
    for stream in container.streams.video:
        if not stream.disposition & (av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails):
            return stream
    return None


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
        frame, measure = _measured(container, stream, limits)
        mime_type = sniff.mime_type(path, container=container.format.name, brand=brand)
        timing, duration_ms = _timed(container, stream, measure, limits)
        passage = needs.Passage(timing.rate, measure.smooth())
        verdict = needs.judge(container, stream, frame, passage, path=path, brand=brand)
        facts = _facts(container, stream, frame, timing, duration_ms, mime_type, verdict)
        return Probed(facts, frame, orientation_of(frame), verdict)


def _measured(container: Any, stream: Any, limits: Limits) -> tuple[av.VideoFrame, _Measure]:
    """Read the whole file once; decode only until the first picture is there."""
    measure, decoder, frame = _Measure(stream), _Decoder(stream, limits), None
    most_pictures = limits.max_duration_ms * limits.max_frame_rate // 1000 + limits.max_frame_rate
    for packet in readable_packets(container, [stream, *container.streams.audio]):
        measure.add(packet)
        if frame is None and packet.stream_index == stream.index:
            frame = decoder.first_frame(packet)
        if measure.pictures > most_pictures:
            raise refusal("frame_rate_too_high", limits)
    frame = frame or decoder.first_frame(None)
    if frame is None:
        raise refusal("no_decodable_frame", limits)
    return frame, measure


def readable_packets(container: Any, streams: list[Any]) -> Iterator[Any]:
    """Yield the packets that can be read; a damaged one is passed over, and after many the file is over."""
    for _ in range(_MAX_BROKEN_PACKETS):
        try:
            yield from (packet for packet in container.demux(streams) if packet.size)
        except EndOfFile:
            return
        except MemoryError:
            raise
        except FFmpegError:
            continue
        return


class _Decoder:
    """Decodes until there is one picture, and refuses it when it is too large."""

    def __init__(self, stream: Any, limits: Limits):
        self._context, self._limits, self._broken = stream.codec_context, limits, 0
        if self._context is None:
            raise refusal("no_decodable_frame", limits)
        self._context.thread_count = 1  # more threads hold more pictures in memory and gain nothing for one

    def first_frame(self, packet: Any | None) -> av.VideoFrame | None:
        """Return a picture if the packet completes one; None asks for what the decoder still holds."""
        if self._broken > _MAX_BROKEN_PACKETS:
            return None
        try:
            frames = self._context.decode(packet)
        except (FFmpegError, MemoryError) as error:
            # A picture that does not fit into memory is too large whenever the stream itself says so.
            refuse_large(self._context.width, self._context.height, self._limits)
            if isinstance(error, MemoryError):
                raise
            self._broken += 1
            return None
        for frame in frames:
            refuse_large(frame.width, frame.height, self._limits)
            if not frame.is_corrupt:
                return frame
        return None


def refuse_large(width_px: int, height_px: int, limits: Limits) -> None:
    """Raise NotAVideo when the picture is larger than the limits in its orientation."""
    longest, shortest = sorted((limits.max_width_px, limits.max_height_px), reverse=True)
    if max(width_px, height_px) > longest or min(width_px, height_px) > shortest:
        raise refusal("picture_too_large", limits)


def _timed(container: Any, stream: Any, measure: _Measure, limits: Limits) -> tuple[FrameTiming, int]:
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
