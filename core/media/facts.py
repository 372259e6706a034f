"""What is known about a video once it was decoded, what is allowed, and why a file is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: What is taken, with the ending of such a file's name.
MIME_TYPES = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}


class Need(StrEnum):
    """What it takes until a video plays in every browser (see `core.media.needs`)."""

    NOTHING = "nothing"
    #: Its pictures and sound are fine; only what is around them must be written anew.
    REMUX = "remux"
    TRANSCODE = "transcode"


@dataclass(frozen=True)
class VideoFacts:
    """Measured facts of one video; nothing here was taken from a header's word alone.

    Width and height are those of the picture on the screen: turned by `rotation_deg` (0, 90, 180 or 270,
    clockwise) and stretched where pixels are not square. `duration_ms` is where the player's timeline ends.
    `audio_codec` is "" when the video is silent. With `variable_frame_rate` the rate is an average, and
    frames are not where it says. `need` is one of `Need`; with `reveals_metadata` the file holds, or may hold,
    where and with what it was filmed.
    """

    duration_ms: int
    width_px: int
    height_px: int
    rotation_deg: int
    frame_rate_num: int
    frame_rate_den: int
    variable_frame_rate: bool
    video_codec: str
    audio_codec: str
    mime_type: str
    need: str = "nothing"
    reveals_metadata: bool = False

    @classmethod
    def from_json(cls, answer: Any) -> "VideoFacts":
        """Return the facts the child wrote; raise ValueError when a field is missing or out of range."""
        if not isinstance(answer, dict) or set(answer) != set(cls.__dataclass_fields__):
            raise ValueError("not the fields of VideoFacts")
        facts = cls(**answer)
        numbers = (
            facts.duration_ms,
            facts.width_px,
            facts.height_px,
            facts.frame_rate_num,
            facts.frame_rate_den,
        )
        codecs = (facts.video_codec, facts.audio_codec)
        sound = (
            all(type(number) is int and 0 < number < 2**31 for number in numbers)
            and facts.rotation_deg in {0, 90, 180, 270}
            and type(facts.variable_frame_rate) is bool
            and type(facts.reveals_metadata) is bool
            and facts.need in set(Need)
            and all(isinstance(codec, str) and codec.isascii() and len(codec) <= 32 for codec in codecs)
            and facts.mime_type in MIME_TYPES
        )
        if not sound:
            raise ValueError("a field of VideoFacts is out of range")
        return facts


@dataclass(frozen=True)
class Limits:
    """What a video may be at most, and what finding out may cost.

    The size of the picture holds in either orientation. `memory_bytes` limits the address space of the child:
    Python and the codec libraries take some 150 MB of it, the largest HEVC picture of 10 bits took 350 MB
    more when measured, and a stream may ask for twice as many pictures of reference. `wall_seconds` covers
    reading a file of several GiB; `file_bytes` holds for each file that the child writes.
    """

    max_width_px: int = 4096
    max_height_px: int = 2304
    max_duration_ms: int = 4 * 60 * 60 * 1000
    max_frame_rate: int = 240
    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    file_bytes: int = 16 * 1024 * 1024


class NotAVideo(Exception):
    """The file is refused; `code` is for programs, `sentence` says what happened and what to do."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class InspectionUnavailable(Exception):
    """The file could not be examined for a reason that is not the file's: full disk, broken installation."""


class InspectionKilled(InspectionUnavailable):
    """The child was killed: by an operator, or by a system that ran out of memory, perhaps for this file's sake."""


_SENTENCES = {
    "not_a_video": "This is not a video we can read. Choose an MP4, MOV, WebM, MKV, AVI or 3GP file.",
    "no_video_track": "This file has sound but no picture. Choose a video file.",
    "no_decodable_frame": "No picture in this video can be shown. Export it again as MP4 and try once more.",
    "truncated": "This video is incomplete: its end is missing. Copy or export it again.",
    "too_long": "This video is longer than {duration}. Choose a shorter one or cut it.",
    "picture_too_large": "This video is larger than {width} × {height} pixels. Export it in a smaller size.",
    "frame_rate_too_high": "This video has more than {rate} frames a second. Export it with fewer.",
    "too_complex": "Reading this video took too much time or memory. Export it again as MP4.",
}

REFUSAL_CODES = frozenset(_SENTENCES)


def refusal(code: str, limits: Limits) -> NotAVideo:
    """Return the refusal for one of `REFUSAL_CODES`, its sentence naming the limit that was met."""
    sentence = _SENTENCES[code].format(
        duration=_spoken(limits.max_duration_ms),
        width=limits.max_width_px,
        height=limits.max_height_px,
        rate=limits.max_frame_rate,
    )
    return NotAVideo(code, sentence)


def _spoken(duration_ms: int) -> str:
    for unit_ms, unit in ((3_600_000, "hour"), (60_000, "minute"), (1_000, "second")):
        if duration_ms >= unit_ms and duration_ms % unit_ms == 0:
            count = duration_ms // unit_ms
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{duration_ms / 1000:g} seconds"
