"""Videos as phones, cameras, editors and browsers leave them, one for each format that must play everywhere.

All are of the marked kind (see `tests.videos.marked`), so whoever shows one can tell what should be on the screen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from core.media.facts import Need
from tests.videos.interlaced import interlaced_mp4
from tests.videos.marked import SECONDS, SIZE, marked, repacked

_FRAME_S = 1 / 30


@dataclass(frozen=True)
class Format:
    """How such a file is made, what it needs, and what its player then shows.

    `bar_ahead_s` is how far the bar is ahead of the player's clock; `last_s` where the bar stands at the end.
    """

    need: Need
    build: Callable[[Path], Path]
    size: tuple[int, int] = SIZE
    seconds: float = SECONDS
    last_s: float = SECONDS - _FRAME_S
    bar_ahead_s: float = 0.0
    has_sound: bool = True


def _clip(name: str, **options: Any) -> Callable[[Path], Path]:
    return lambda folder: marked(folder / name, **options)


def _repacked(source: str, target: str, *, clip: dict[str, Any] | None = None, **moved: Any) -> Callable[[Path], Path]:
    return lambda folder: repacked(marked(folder / source, **(clip or {})), folder / target, **moved)


_HEVC: dict[str, Any] = {"video_codec": "libx265", "codec_tag": "hvc1"}
_HDR = _HEVC | {"pixel_format": "yuv420p10le"}
_WEB = {"video_codec": "libvpx", "audio_codec": "libopus"}
_UPRIGHT: dict[str, Any] = {"size": (90, 160)}

FORMATS: dict[str, Format] = {
    "H.264 in MP4": Format(Need.NOTHING, _clip("a.mp4")),
    "H.264 with the index at the end": Format(Need.REMUX, _clip("a.mp4", index="end")),
    "H.264 in QuickTime": Format(Need.REMUX, _clip("a.mov")),
    "H.264 in Matroska": Format(Need.REMUX, _clip("a.mkv")),
    "H.264 in AVI": Format(Need.TRANSCODE, _clip("a.avi", audio_codec="libmp3lame")),
    "fragmented MP4": Format(
        Need.REMUX, _clip("a.mp4", index="fragments"), seconds=SECONDS + 2 * _FRAME_S, bar_ahead_s=-2 * _FRAME_S
    ),
    "HEVC in MP4 (hvc1)": Format(Need.TRANSCODE, _clip("a.mp4", **_HEVC)),
    "HEVC in QuickTime (hvc1)": Format(Need.TRANSCODE, _clip("a.mov", **_HEVC)),
    "HDR10": Format(Need.TRANSCODE, _clip("a.mp4", **_HDR, colors="pq")),
    "HLG": Format(Need.TRANSCODE, _clip("a.mov", **_HDR, colors="hlg")),
    "AV1": Format(Need.TRANSCODE, _clip("a.mp4", video_codec="libsvtav1")),
    "VP8": Format(Need.TRANSCODE, _clip("a.webm", **_WEB)),
    "VP9": Format(Need.TRANSCODE, _clip("a.webm", video_codec="libvpx-vp9", audio_codec="libopus")),
    "a browser's WebM without duration": Format(
        Need.TRANSCODE, _repacked("b.webm", "a.webm", clip=_WEB, options={"live": "1"})
    ),
    "ProRes": Format(Need.TRANSCODE, _clip("a.mov", video_codec="prores_ks", audio_codec="pcm_s16le")),
    "Motion JPEG": Format(Need.TRANSCODE, _clip("a.avi", video_codec="mjpeg", audio_codec="pcm_s16le")),
    "interlaced": Format(Need.TRANSCODE, interlaced_mp4, has_sound=False),
    "mirrored": Format(Need.TRANSCODE, _clip("a.mp4", rotation_deg=90, mirrored=True)),
    "pixels that are not square": Format(Need.TRANSCODE, _clip("a.mp4", size=(120, 90), pixel_aspect=Fraction(4, 3))),
    "an odd size": Format(Need.TRANSCODE, _clip("a.mp4", size=(161, 91), pixel_format="yuv444p")),
    "silent": Format(Need.NOTHING, _clip("a.mp4", audio_codec=None), has_sound=False),
    "sound of six channels": Format(Need.TRANSCODE, _clip("a.mp4", audio_layout="5.1")),
    "two tracks of each": Format(Need.REMUX, _repacked("b.mp4", "a.mp4", copies=2)),
    "an uneven frame rate": Format(Need.NOTHING, _clip("a.mp4", uneven=True), last_s=28 / 30),
    "an uneven frame rate, encoded": Format(Need.TRANSCODE, _clip("a.webm", **_WEB, uneven=True), last_s=28 / 30),
    "an edit list that hides the beginning": Format(
        Need.TRANSCODE, _repacked("b.mp4", "a.mp4", shift_s=Fraction(-2, 5)), seconds=0.6, bar_ahead_s=0.4
    ),
    "an edit list that begins late": Format(
        Need.TRANSCODE, _repacked("b.mp4", "a.mov", shift_s=Fraction(1, 2)), seconds=1.5, bar_ahead_s=-0.5
    ),
} | {
    f"turned by {degrees}, {how}": Format(need, _clip("a.mp4", **_UPRIGHT, rotation_deg=degrees, **options), (90, 160))
    for degrees in (90, 180, 270)
    for how, need, options in (
        ("as it is", Need.NOTHING, {}),
        ("copied", Need.REMUX, {"index": "end"}),
        ("encoded", Need.TRANSCODE, _HEVC),
    )
}
