"""Renditions of every kind of video: the same pictures at the same moments, upright, and the same sound."""

from fractions import Fraction
from pathlib import Path

import pytest

from core.media.facts import Need, VideoFacts
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition, rendition_limits
from tests.videos.marked import CORNERS, SECONDS, SIZE, marked, repacked, seen, shown_size, ticks_heard

LIMITS = rendition_limits(duration_ms=2000, size_bytes=10_000_000)


def made(source: Path) -> tuple[str, Path, VideoFacts]:
    """Return what the video needs, its rendition, and what was measured about that."""
    need = inspect_video(source, poster=source.with_name("poster.jpg")).need
    target = source.with_name("rendition.mp4")
    return need, target, make_rendition(source, target, need=need, limits=LIMITS)


def assert_same_pictures(path: Path, *, frames: int = 30, last: int = 29) -> None:
    """Assert that each picture of the marked video is shown, upright, at the moment it says."""
    pictures = seen(path)
    assert len(pictures) == frames
    for picture in pictures:
        assert picture.corners == CORNERS
        assert picture.at_s == pytest.approx(picture.bar, abs=0.03)
    assert pictures[0].at_s == 0
    assert pictures[-1].at_s == pytest.approx(last / 30, abs=0.002)


KINDS = {
    "HEVC in MP4 (hev1)": (Need.TRANSCODE, "a.mp4", {"video_codec": "libx265"}),
    "HDR10": (Need.TRANSCODE, "a.mp4", {"video_codec": "libx265", "pixel_format": "yuv420p10le", "colors": "pq"}),
    "AV1": (Need.TRANSCODE, "a.mp4", {"video_codec": "libsvtav1"}),
    "VP8": (Need.TRANSCODE, "a.webm", {"video_codec": "libvpx", "audio_codec": "libopus"}),
    "VP9": (Need.TRANSCODE, "a.webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
    "ProRes": (Need.TRANSCODE, "a.mov", {"video_codec": "prores_ks", "audio_codec": "pcm_s16le"}),
    "Motion JPEG": (Need.TRANSCODE, "a.avi", {"video_codec": "mjpeg", "audio_codec": "pcm_s16le"}),
    "MPEG-4": (Need.TRANSCODE, "a.mp4", {"video_codec": "mpeg4", "audio_codec": "libmp3lame"}),
    "H.264 with Opus": (Need.TRANSCODE, "a.mp4", {"audio_codec": "libopus"}),
    "H.264 of 10 bits": (Need.TRANSCODE, "a.mp4", {"pixel_format": "yuv420p10le"}),
    "H.264 4:4:4": (Need.TRANSCODE, "a.mp4", {"pixel_format": "yuv444p"}),
    "H.264 in QuickTime": (Need.REMUX, "a.mov", {}),
    "H.264 in Matroska": (Need.REMUX, "a.mkv", {}),
    "H.264 in AVI": (Need.TRANSCODE, "a.avi", {"audio_codec": "libmp3lame"}),
    "H.264 in 3GP": (Need.REMUX, "a.3gp", {}),
    "index at the end": (Need.REMUX, "a.mp4", {"index": "end"}),
    "full range": (Need.NOTHING, "a.mp4", {"pixel_format": "yuvj420p"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_becomes_one_that_plays_everywhere(tmp_path, kind):
    expected, name, options = KINDS[kind]
    need, path, facts = made(marked(tmp_path / name, **options))
    assert need == expected
    assert (facts.video_codec, facts.mime_type, facts.need) == ("h264", "video/mp4", Need.NOTHING)
    assert facts.audio_codec in {"aac", "mp3"}
    assert (facts.width_px, facts.height_px) == SIZE == shown_size(path)
    assert facts.duration_ms == pytest.approx(1000 * SECONDS, abs=70)
    assert Fraction(facts.frame_rate_num, facts.frame_rate_den) == 30
    assert_same_pictures(path)
    assert ticks_heard(path) == pytest.approx([0.0, 0.5], abs=0.025)  # an AVI with MP3 does not tell its delay


@pytest.mark.parametrize("index", ["front", "end"])
@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_turned_video_is_upright_whether_copied_or_encoded(tmp_path, codec, rotation_deg, index):
    need, path, facts = made(
        marked(tmp_path / "a.mp4", size=(90, 160), video_codec=codec, rotation_deg=rotation_deg, index=index)
    )
    copied = codec == "libx264"
    assert need == (Need.TRANSCODE if not copied else Need.REMUX if index == "end" else Need.NOTHING)
    assert (facts.width_px, facts.height_px) == (90, 160) == shown_size(path)
    assert facts.rotation_deg == (rotation_deg if copied else 0)
    assert_same_pictures(path)


def test_a_mirrored_video_is_shown_as_the_camera_app_shows_it(tmp_path):
    need, path, _ = made(marked(tmp_path / "a.mp4", rotation_deg=90, mirrored=True))
    assert need == Need.TRANSCODE
    assert_same_pictures(path)


def test_a_rotation_outside_of_mp4_is_applied(tmp_path):
    turned = marked(tmp_path / "a.mp4", size=(90, 160), rotation_deg=90)
    need, path, _ = made(marked(tmp_path / "a.mkv", size=(90, 160), rotation_deg=90))
    assert turned.exists()
    assert need == Need.TRANSCODE
    assert_same_pictures(path)


@pytest.mark.parametrize(
    ("size", "options", "shown"),
    [
        ((161, 91), {"pixel_format": "yuv444p"}, (160, 90)),
        ((120, 90), {"pixel_aspect": Fraction(4, 3)}, (160, 90)),
        ((160, 68), {"pixel_aspect": Fraction(3, 4)}, (160, 90)),
        ((90, 120), {"pixel_aspect": Fraction(4, 3), "rotation_deg": 90}, (90, 160)),
        ((2000, 200), {}, (1920, 192)),
        ((200, 2000), {}, (192, 1920)),
        ((1100, 1100), {}, (1080, 1080)),
    ],
)
def test_odd_stretched_and_large_pictures_get_a_size_that_every_player_takes(tmp_path, size, options, shown):
    need, path, facts = made(marked(tmp_path / "a.mp4", size=size, **options))
    assert need == Need.TRANSCODE
    assert (facts.width_px, facts.height_px) == shown == shown_size(path)
    assert_same_pictures(path)


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_an_uneven_frame_rate_keeps_every_moment(tmp_path, codec):
    need, path, facts = made(
        marked(
            tmp_path / ("a.mov" if codec == "libx264" else "a.webm"), video_codec=codec, audio_codec=None, uneven=True
        )
    )
    assert need == (Need.REMUX if codec == "libx264" else Need.TRANSCODE)
    assert facts.variable_frame_rate
    assert facts.audio_codec == ""
    assert_same_pictures(path, frames=23, last=28)


def test_an_uneven_phone_video_needs_nothing(tmp_path):
    path = marked(tmp_path / "a.mp4", uneven=True)
    assert inspect_video(path, poster=tmp_path / "p.jpg").need == Need.NOTHING


@pytest.mark.parametrize("rate", [90, 120, 240])
def test_of_many_pictures_a_second_sixty_are_left(tmp_path, rate):
    need, path, facts = made(marked(tmp_path / "a.mp4", frame_rate=rate))
    assert need == Need.TRANSCODE
    assert facts.frame_rate_num / facts.frame_rate_den == pytest.approx(60, abs=0.7)
    for picture in seen(path):
        assert picture.at_s == pytest.approx(picture.bar, abs=0.03)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_recording_of_a_browser_gets_a_duration_and_an_index(tmp_path, name):
    codec = "libvpx" if name == "a.webm" else "libx264"
    source = marked(
        tmp_path / "a.mp4" if codec == "libx264" else tmp_path / "b.webm", video_codec=codec, audio_codec="libopus"
    )
    recording = repacked(source, tmp_path / name, options={"live": "1"})
    need, path, facts = made(recording)
    assert need == Need.TRANSCODE
    assert facts.duration_ms == pytest.approx(1000, abs=40)
    assert_same_pictures(path)
    assert ticks_heard(path) == pytest.approx([0.0, 0.5], abs=0.012)


def test_a_camera_that_changes_its_size_midway_is_shown_whole_within_the_first_size(tmp_path):
    first = marked(tmp_path / "1.webm", video_codec="libvpx", audio_codec=None)
    second = marked(tmp_path / "2.webm", size=(90, 160), video_codec="libvpx", audio_codec=None)
    _, path, facts = made(repacked([first, second], tmp_path / "both.webm"))
    assert (facts.width_px, facts.height_px) == SIZE
    assert facts.duration_ms == pytest.approx(2000, abs=40)
    pictures = seen(path)
    assert len(pictures) == 60
    assert all(picture.corners == CORNERS for picture in pictures[:30])


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_video_that_begins_late_keeps_its_zero(tmp_path, codec):
    source = repacked(marked(tmp_path / "a.mp4", video_codec=codec), tmp_path / "late.mov", shift_s=Fraction(1, 2))
    _, path, facts = made(source)
    assert facts.duration_ms == pytest.approx(1500, abs=70)
    later = seen(path)[1:]
    assert all(picture.at_s - 0.5 == pytest.approx(picture.bar, abs=0.03) for picture in later)
    assert ticks_heard(path) == pytest.approx([0.5, 1.0], abs=0.012)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("late_s", [-0.2, 0.15, 0.4])
def test_sound_that_begins_before_or_after_the_pictures_stays_in_step(tmp_path, codec, late_s):
    source = repacked(marked(tmp_path / "a.mp4", video_codec=codec), tmp_path / "b.mov", sound_shift_s=late_s)
    _, path, _ = made(source)
    assert_same_pictures(path)
    expected = [0.3, 0.8] if late_s < 0 else [late_s, 0.5 + late_s]
    assert ticks_heard(path)[-1] == pytest.approx(expected[0] if late_s < 0 else expected[-1], abs=0.012)


def test_a_cut_by_an_edit_list_hides_what_it_hid(tmp_path):
    """The first 0.4 seconds are there, for decoding, but no player shows them."""
    source = repacked(marked(tmp_path / "a.mp4"), tmp_path / "cut.mp4", shift_s=Fraction(-2, 5))
    need, path, facts = made(source)
    assert need == Need.TRANSCODE
    assert facts.duration_ms == pytest.approx(600, abs=40)
    pictures = seen(path)
    assert len(pictures) == 18
    assert all(picture.at_s + 0.4 == pytest.approx(picture.bar, abs=0.035) for picture in pictures)
    assert ticks_heard(path)[-1] == pytest.approx(0.1, abs=0.012)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_of_two_tracks_one_picture_and_one_sound_are_left(tmp_path, codec):
    source = repacked(marked(tmp_path / "a.mp4", video_codec=codec), tmp_path / "two.mp4", copies=2)
    need, path, facts = made(source)
    assert need == (Need.REMUX if codec == "libx264" else Need.TRANSCODE)
    assert facts.need == Need.NOTHING
    assert_same_pictures(path)
