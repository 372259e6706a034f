"""Decides what a video needs to play in every browser, and which of its streams can be kept as they are.

# Note [What plays everywhere]
Chromium, Firefox and Safari, on phones too, all play one kind: MP4 with its index first, H.264 of 8 bits (4:2:0), AAC
or MP3. So that is what a video is or becomes. HEVC is missing in many Firefox and Chromium installations; AV1 needs a
recent Apple chip; VP8 and VP9 play in Safari only since 17, and a recording has neither duration nor index there: all
of these are transcoded, and the original stays for those whose browser can play it. An uneven frame rate plays
everywhere and stays. Pictures beyond 1080p or 60 a second do not decode smoothly on older phones.

An AVI tells no moments at which pictures are shown, only their order in the file, which is not the order on the
screen as soon as the encoder looks ahead: copied packets play scrambled (tried). So an AVI is always transcoded.

# Note [One picture, one sound]
A rendition has one stream of pictures and at most one of sound: browsers offer no choice of others, and other tracks
(places, faces, chapters) may tell what nobody meant to publish. A file with more streams is remuxed.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from core.media.boxes import Layout, layout_of
from core.media.color import is_hdr
from core.media.facts import Need
from core.media.geometry import orientation_of

LONG_SIDE_PX, SHORT_SIDE_PX = 1920, 1080
MAX_FRAME_RATE = 60

_RATE_SLACK = Fraction(1, 2)
_MAX_LEVEL = 52  # 5.2: some phones label plain 1080p so
_PROFILES = {"Constrained Baseline", "Baseline", "Main", "High"}
_FORMATS = {"yuv420p", "yuvj420p"}
_PROGRESSIVE = {0, 1}  # AVFieldOrder: unknown, progressive
_SOUNDS = {"aac", "mp3"}
_MAX_CHANNELS = 2
#: Metadata that every muxer writes and that says nothing about place or device.
_PLAIN_KEYS = {"major_brand", "minor_version", "compatible_brands", "creation_time", "language", "handler_name"}
_PLAIN_KEYS |= {"vendor_id", "duration", "encoder", "rotate", "alpha_mode"}
#: How programs begin their name under "encoder" or "software"; a camera writes its model there.
_PROGRAMS = ("lavf", "lavc", "chrome", "mozilla", "handbrake", "x264", "libwebm", "qtmuxingapplibwebm")


@dataclass(frozen=True)
class Passage:
    """What was seen while the packets passed by: `smooth` names the streams whose packets can be copied in order.

    With `has_remarks` there are some between the pictures that may tell of a place or a device.
    """

    rate: Fraction
    smooth: frozenset[int]
    has_remarks: bool


@dataclass(frozen=True)
class Verdict:
    """What the video needs, whether its file may tell more than it shows, and which streams can be copied."""

    need: Need
    reveals_metadata: bool
    keep_picture: bool
    keep_sound: bool


def chosen_sound(container: Any) -> Any | None:
    """Return the stream of sound a player would choose among those that can be decoded, or None."""
    known = [stream for stream in container.streams.audio if stream.codec_context]
    default = [stream for stream in known if stream.disposition & av.stream.Disposition.default]
    return next(iter(default + known), None)


def judge(container: Any, picture: Any, frame: VideoFrame, passage: Passage, *, path: Path, brand: str) -> Verdict:
    """Return what the opened video needs; `frame` is its first picture, `brand` the major brand of an ISO file."""
    is_iso, sound = "mp4" in container.format.name, chosen_sound(container)
    layout = layout_of(path) if is_iso else Layout(index_first=False, fragmented=False, has_unknown_boxes=False)
    reveals = layout.has_unknown_boxes or passage.has_remarks or _has_telling_streams(container)
    smooth = frozenset() if container.format.name == "avi" else passage.smooth
    keep_picture = picture.index in smooth and _plays(picture, frame, passage.rate, is_iso=is_iso)
    keep_sound = sound is None or (sound.index in smooth and _sounds(sound))
    lone = len(container.streams) == (1 if sound is None else 2)
    is_mp4 = is_iso and brand.strip() not in {"", "qt"} and not brand.startswith("3g")
    need = Need.REMUX
    if not (keep_picture and keep_sound):
        need = Need.TRANSCODE
    elif is_mp4 and lone and layout.index_first and not layout.fragmented and not reveals:
        need = Need.NOTHING
    return Verdict(need, reveals, keep_picture, keep_sound)


def _plays(stream: Any, frame: VideoFrame, rate: Fraction, *, is_iso: bool) -> bool:
    """Return whether the pictures, as they are encoded, play everywhere."""
    context, orientation = stream.codec_context, orientation_of(frame)
    long_side, short_side = sorted((frame.width, frame.height), reverse=True)
    return (
        context.codec.canonical_name == "h264"
        and (not is_iso or context.codec_tag == "avc1")  # avc3 has no header of its own
        and context.extradata_size > 0
        and context.profile in _PROFILES
        and (context.level or 0) <= _MAX_LEVEL
        and frame.format.name in _FORMATS
        and not is_hdr(frame)
        and not frame.interlaced_frame
        and int(context.field_order) in _PROGRESSIVE
        and (stream.sample_aspect_ratio or 1) == 1
        and long_side <= LONG_SIDE_PX
        and short_side <= SHORT_SIDE_PX
        and rate <= MAX_FRAME_RATE + _RATE_SLACK
        # MP4 and QuickTime turn pictures in a way that all browsers know, but not all of them mirror.
        and (orientation.rotation_deg == 0 or is_iso)
        and not orientation.mirrored
    )


def _sounds(stream: Any) -> bool:
    context = stream.codec_context
    return context.codec.canonical_name in _SOUNDS and 0 < context.channels <= _MAX_CHANNELS


def _has_telling_streams(container: Any) -> bool:
    """Return whether metadata, or a track beside pictures and sound, may tell of a place or a device."""
    if any(stream.type not in {"video", "audio", "subtitle"} for stream in container.streams):
        return True
    texts = [container.metadata, *(stream.metadata for stream in container.streams)]
    return any(_tells(key.lower(), value) for text in texts for key, value in text.items())


def _tells(key: str, value: str) -> bool:
    if key in {"encoder", "software"}:
        return not value.lower().startswith(_PROGRAMS)
    return key not in _PLAIN_KEYS
