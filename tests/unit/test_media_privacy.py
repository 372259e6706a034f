"""What a file may tell beside pictures and sound: found out, and gone from its rendition."""

import struct
from pathlib import Path

import av
import pytest

from core.media.clips import write_clip
from core.media.facts import Need
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition, rendition_limits
from tests import videos
from tests.videos.files import box

SECRET = b"+48.8577+002.295/"
LIMITS = rendition_limits(duration_ms=2000, size_bytes=1_000_000)


def with_box_in_index(folder: Path, extra: bytes) -> Path:
    """Put a box at the end of the index, which lies behind the pictures."""
    whole = write_clip(folder / "plain.mp4", seconds=0.5, size=(160, 90), index="end").read_bytes()
    place = whole.index(b"moov") - 4
    size = struct.unpack_from(">I", whole, place)[0]
    path = folder / "told.mp4"
    path.write_bytes(whole[:place] + struct.pack(">I", size + len(extra)) + whole[place + 4 :] + extra)
    return path


def with_tail(folder: Path, tail: bytes) -> Path:
    path = folder / "told.mp4"
    path.write_bytes(write_clip(folder / "plain.mp4", seconds=0.5, size=(160, 90)).read_bytes() + tail)
    return path


def with_metadata(folder: Path, name: str, **metadata: str) -> Path:
    return write_clip(folder / name, seconds=0.5, size=(160, 90), metadata=metadata)


TELLING = {
    "location": lambda folder: with_metadata(folder, "a.mp4", location=SECRET.decode()),
    "location in QuickTime": lambda folder: with_metadata(folder, "a.mov", location=SECRET.decode()),
    "make in QuickTime": lambda folder: with_metadata(folder, "a.mov", make=SECRET.decode()),
    "comment": lambda folder: with_metadata(folder, "a.mp4", comment=SECRET.decode()),
    "tag in Matroska": lambda folder: with_metadata(folder, "a.mkv", place=SECRET.decode()),
    "loci": lambda folder: with_box_in_index(folder, box(b"udta", box(b"loci", bytes(6) + b"x\0" + SECRET))),
    "unknown box in the index": lambda folder: with_box_in_index(folder, box(b"gps ", SECRET)),
    "keys of QuickTime": lambda folder: with_box_in_index(folder, box(b"meta", box(b"keys", SECRET))),
    "XMP": lambda folder: with_tail(folder, box(b"uuid", SECRET)),
    "padding that is none": lambda folder: with_tail(folder, box(b"free", SECRET)),
    "a tail without a box": lambda folder: with_tail(folder, SECRET),
}


@pytest.mark.parametrize("kind", TELLING)
def test_what_tells_of_a_place_or_a_device_is_found_and_not_copied(tmp_path, kind):
    source, target = TELLING[kind](tmp_path), tmp_path / "rendition.mp4"
    facts = inspect_video(source, poster=tmp_path / "poster.jpg")
    assert SECRET in source.read_bytes() or kind == "location"  # which becomes binary numbers
    assert facts.reveals_metadata
    assert facts.need == Need.REMUX
    made = make_rendition(source, target, need=facts.need, limits=LIMITS)
    assert not made.reveals_metadata
    assert made.need == Need.NOTHING
    assert SECRET not in target.read_bytes()


@pytest.mark.parametrize("build", [videos.phone_mp4, videos.silent_mp4, videos.vp8_webm, videos.hevc_mp4])
def test_a_plain_file_tells_nothing(tmp_path, build):
    assert not inspect_video(build(tmp_path), poster=tmp_path / "poster.jpg").reveals_metadata


def test_padding_of_zeros_tells_nothing(tmp_path):
    facts = inspect_video(with_tail(tmp_path, box(b"free", bytes(500))), poster=tmp_path / "poster.jpg")
    assert (facts.need, facts.reveals_metadata) == (Need.NOTHING, False)


def test_chapters_and_titles_are_not_copied_when_encoding(tmp_path):
    source = write_clip(
        tmp_path / "a.webm",
        seconds=0.5,
        video_codec="libvpx",
        metadata={"title": SECRET.decode()},
        audio_codec="libopus",
    )
    target = tmp_path / "rendition.mp4"
    make_rendition(source, target, need=Need.TRANSCODE, limits=LIMITS)
    assert SECRET not in target.read_bytes()
    with av.open(str(target)) as container:
        assert not container.chapters()
        assert len(container.streams) == 2
