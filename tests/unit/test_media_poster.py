"""Posters: upright, small, in ordinary colors, and not black when the video is not."""

from pathlib import Path

import av
import pytest

from core.media.clips import write_clip
from core.media.figure import Scene
from core.media.inspection import inspect_video
from tests import videos

PORTRAIT = (120, 200)


def poster_of(video: Path) -> av.VideoFrame:
    poster = video.with_name(video.name + ".jpg")
    inspect_video(video, poster=poster)
    assert poster.read_bytes()[:3] == b"\xff\xd8\xff"
    with av.open(str(poster)) as picture:
        return next(picture.decode(video=0))


def grid(frame: av.VideoFrame) -> list[int]:
    """Return the brightness of the picture in 16 × 16 fields."""
    plane = frame.reformat(16, 16, "gray").planes[0]
    rows = bytes(plane)
    return [level for y in range(16) for level in rows[y * plane.line_size : y * plane.line_size + 16]]


def difference(one: av.VideoFrame, other: av.VideoFrame) -> float:
    return sum(abs(a - b) for a, b in zip(grid(one), grid(other), strict=True)) / 256


@pytest.fixture(scope="module")
def upright(tmp_path_factory):
    return poster_of(portrait(tmp_path_factory.mktemp("upright")))


def portrait(folder: Path, **options) -> Path:
    return write_clip(folder / "a.mp4", size=PORTRAIT, scene=Scene(PORTRAIT), audio_codec=None, **options)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_a_poster_shows_the_picture_as_the_player_does(tmp_path, upright, rotation_deg, mirrored):
    poster = poster_of(portrait(tmp_path, rotation_deg=rotation_deg, mirrored=mirrored))
    assert (poster.width, poster.height) == PORTRAIT
    assert difference(poster, upright) < 3


@pytest.mark.parametrize(
    ("size", "expected"), [((1280, 720), (640, 360)), ((720, 1280), (360, 640)), ((321, 181), (321, 181))]
)
def test_the_longer_side_is_at_most_640_and_nothing_is_enlarged(tmp_path, size, expected):
    poster = poster_of(write_clip(tmp_path / "a.mp4", size=size, seconds=0.2, pixel_format="yuv444p"))
    assert (poster.width, poster.height) == expected


def test_an_hdr_video_of_ten_bits_has_a_poster_in_ordinary_colors(tmp_path):
    poster = poster_of(videos.hdr_mp4(tmp_path))
    ordinary = poster_of(write_clip(tmp_path / "sdr.mp4", size=(160, 90), seconds=0.5))
    assert poster.format.name == "yuvj420p"
    assert difference(poster, ordinary) < 25


def test_a_video_that_begins_black_has_a_poster_from_later(tmp_path):
    class Dawn(Scene):
        """Two black seconds, then the figure."""

        def paint(self, at_s: float, stride: int) -> bytearray:
            return super().paint(at_s, stride) if at_s > 2 else bytearray(b"\xff" * stride * self.height)

    path = write_clip(tmp_path / "a.mp4", size=PORTRAIT, scene=Dawn(PORTRAIT), seconds=6, frame_rate=10)
    assert sum(grid(poster_of(path))) / 256 > 100


def test_a_video_that_is_black_throughout_has_a_black_poster(tmp_path):
    class Night(Scene):
        def paint(self, at_s: float, stride: int) -> bytearray:
            return bytearray(b"\xff" * stride * self.height)

    path = write_clip(tmp_path / "a.mp4", size=PORTRAIT, scene=Night(PORTRAIT), frame_rate=10)
    assert sum(grid(poster_of(path))) / 256 < 10
