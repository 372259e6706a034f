"""Thumbnails along the timeline: the right pictures, upright, in one JPEG, and the map to them."""

from pathlib import Path

import av
import pytest

from core.media.clips import write_clip
from core.media.facts import REFUSAL_CODES, Limits, NotAVideo
from core.media.thumbnails import Thumbnails, make_thumbnails, thumbnails_vtt
from tests import videos
from tests.videos.marked import Seen, marked, tiles_seen

CORNERS = ("red", "green", "blue", "yellow")


def tiles(path: Path, thumbnails: Thumbnails) -> list[Seen]:
    return tiles_seen(path, thumbnails.columns, thumbnails.count, (thumbnails.tile_width_px, thumbnails.tile_height_px))


@pytest.mark.parametrize(("size", "tile"), [((320, 180), (160, 90)), ((180, 320), (90, 160)), ((640, 64), (160, 16))])
@pytest.mark.parametrize("rotation_deg", [0, 90])
def test_each_tile_is_upright_and_from_its_moment(tmp_path, size, tile, rotation_deg):
    source = marked(tmp_path / "a.mp4", size=size, seconds=6, frame_rate=10, rotation_deg=rotation_deg)
    thumbnails = make_thumbnails(source, tmp_path / "a.jpg", duration_ms=6000)
    assert thumbnails == Thumbnails(500, 10, 2, *tile, 12)
    for number, picture in enumerate(tiles(tmp_path / "a.jpg", thumbnails)):
        assert picture.bar == pytest.approx(number / 12, abs=0.03)
        assert picture.corners == CORNERS


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_a_long_video_has_a_hundred_tiles_that_are_found_by_seeking(tmp_path, codec):
    name = "a.mp4" if codec == "libx264" else "a.webm"
    source = marked(tmp_path / name, seconds=120, frame_rate=5, video_codec=codec, audio_codec=None)
    thumbnails = make_thumbnails(source, tmp_path / "a.jpg", duration_ms=120_000)
    assert (thumbnails.count, thumbnails.interval_ms) == (100, 1200)
    for number, picture in enumerate(tiles(tmp_path / "a.jpg", thumbnails)):
        assert picture.bar == pytest.approx(number / 100, abs=0.03)


def test_a_video_shorter_than_it_was_said_repeats_its_last_picture(tmp_path):
    thumbnails = make_thumbnails(marked(tmp_path / "a.mp4"), tmp_path / "a.jpg", duration_ms=3000)
    assert [round(picture.bar, 1) for picture in tiles(tmp_path / "a.jpg", thumbnails)] == [0, 0.5, 1, 1, 1, 1]


def test_the_map_covers_the_whole_duration_without_gaps():
    text = thumbnails_vtt(Thumbnails(500, 2, 2, 160, 90, 3), 1250, "/sprite.jpg?a=b")
    assert text == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:00.500\n/sprite.jpg?a=b#xywh=0,0,160,90\n\n"
        "00:00:00.500 --> 00:00:01.000\n/sprite.jpg?a=b#xywh=160,0,160,90\n\n"
        "00:00:01.000 --> 00:00:01.250\n/sprite.jpg?a=b#xywh=0,90,160,90\n"
    )


def test_hours_are_written_as_hours():
    text = thumbnails_vtt(Thumbnails(144_000, 10, 10, 160, 90, 100), 14_400_000, "x")
    assert "03:57:36.000 --> 04:00:00.000\nx#xywh=1440,810,160,90" in text


@pytest.fixture
def folder(tmp_path):
    """A folder that holds nothing but what is left there."""
    path = tmp_path / "made"
    path.mkdir()
    return path


@pytest.mark.parametrize("build", [videos.noise, videos.no_frame, videos.empty, videos.truncated_index_end])
def test_a_bad_file_has_no_thumbnails_and_leaves_nothing(tmp_path, folder, build):
    with pytest.raises(NotAVideo) as refused:
        make_thumbnails(build(tmp_path), folder / "a.jpg", duration_ms=1000)
    assert refused.value.code == videos.BAD[build]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("build", videos.DAMAGED, ids=lambda build: build.__name__)
def test_a_damaged_file_or_a_bomb_has_thumbnails_or_none_within_its_limits(tmp_path, folder, build):
    try:
        make_thumbnails(build(tmp_path), folder / "a.jpg", duration_ms=2000, limits=Limits(wall_seconds=20))
    except NotAVideo as refused:
        assert refused.code in REFUSAL_CODES  # noqa: PT017
        assert not list(folder.iterdir())
    else:
        assert [path.name for path in folder.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize(
    "limits", [Limits(wall_seconds=0.0), Limits(memory_bytes=150 * 1024 * 1024), Limits(file_bytes=200)]
)
def test_each_limit_ends_the_work_and_leaves_nothing(tmp_path, folder, limits):
    source = write_clip(tmp_path / "a.mov", size=(4096, 2304), seconds=0.1, video_codec="prores_ks", audio_codec=None)
    with pytest.raises(NotAVideo) as refused:
        make_thumbnails(source, folder / "a.jpg", duration_ms=100, limits=limits)
    assert refused.value.code in {"too_complex", "no_decodable_frame"}
    assert not list(folder.iterdir())


def test_hdr_tiles_have_ordinary_colors_and_take_seconds_at_most(tmp_path):
    options = {"video_codec": "libx265", "pixel_format": "yuv420p10le", "colors": "pq", "frame_rate": 10}
    source = marked(tmp_path / "a.mp4", seconds=1, audio_codec=None, **options)
    thumbnails = make_thumbnails(source, tmp_path / "a.jpg", duration_ms=1000)
    assert all(picture.corners == CORNERS for picture in tiles(tmp_path / "a.jpg", thumbnails))
    with av.open(str(tmp_path / "a.jpg")) as picture:
        assert picture.streams.video[0].codec_context.pix_fmt == "yuvj420p"
