"""Videos as phones and browsers make them."""

from fractions import Fraction
from pathlib import Path

from core.media.clips import write_clip


def phone_mp4(folder: Path) -> Path:
    return write_clip(folder / "phone.mp4", frame_rate=Fraction(30000, 1001))


def rotated_mov(folder: Path) -> Path:
    """A portrait video, stored lying on its side."""
    return write_clip(folder / "portrait.mov", size=(180, 320), rotation_deg=90, index="end")


def vp8_webm(folder: Path) -> Path:
    return write_clip(folder / "vp8.webm", video_codec="libvpx", audio_codec="libopus")


def vp9_webm(folder: Path) -> Path:
    return write_clip(folder / "vp9.webm", video_codec="libvpx-vp9", audio_codec="libopus")


def hevc_mp4(folder: Path) -> Path:
    return write_clip(folder / "hevc.mp4", video_codec="libx265", seconds=1)


def silent_mp4(folder: Path) -> Path:
    return write_clip(folder / "silent.mp4", audio_codec=None, seconds=1)


def hdr_mp4(folder: Path) -> Path:
    return write_clip(
        folder / "hdr.mp4",
        video_codec="libx265",
        pixel_format="yuv420p10le",
        colors="pq",
        seconds=0.5,
        size=(160, 90),
    )
