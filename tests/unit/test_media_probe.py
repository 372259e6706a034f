"""What is measured about real videos of every kind."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from core.media.clips import write_clip
from core.media.facts import VideoFacts
from core.media.inspection import inspect_video
from tests import videos


def facts_of(path: Path) -> VideoFacts:
    return inspect_video(path, poster=path.with_suffix(".jpg"))


@pytest.mark.parametrize(
    ("build", "codecs", "mime_type"),
    [
        (videos.phone_mp4, ("h264", "aac"), "video/mp4"),
        (videos.rotated_mov, ("h264", "aac"), "video/quicktime"),
        (videos.vp8_webm, ("vp8", "opus"), "video/webm"),
        (videos.vp9_webm, ("vp9", "opus"), "video/webm"),
        (videos.hevc_mp4, ("hevc", "aac"), "video/mp4"),
        (videos.silent_mp4, ("h264", ""), "video/mp4"),
    ],
)
def test_each_kind_has_its_standard_codec_names_and_its_own_type(tmp_path, build, codecs, mime_type):
    facts = facts_of(build(tmp_path))
    assert (facts.video_codec, facts.audio_codec) == codecs
    assert facts.mime_type == mime_type


@pytest.mark.parametrize(
    ("name", "video_codec", "audio_codec", "expected"),
    [
        ("a.mkv", "libx264", "aac", ("h264", "aac", "video/x-matroska")),
        ("a.avi", "mjpeg", "pcm_s16le", ("mjpeg", "pcm_s16le", "video/x-msvideo")),
        ("a.3gp", "libx264", "aac", ("h264", "aac", "video/3gpp")),
        ("a.mov", "prores_ks", "pcm_s16le", ("prores", "pcm_s16le", "video/quicktime")),
        ("a.mp4", "libsvtav1", "aac", ("av1", "aac", "video/mp4")),
    ],
)
def test_less_common_containers_and_codecs_are_known_too(tmp_path, name, video_codec, audio_codec, expected):
    path = write_clip(tmp_path / name, seconds=0.5, video_codec=video_codec, audio_codec=audio_codec)
    facts = facts_of(path)
    assert (facts.video_codec, facts.audio_codec, facts.mime_type) == expected


def test_the_name_of_a_file_says_nothing(tmp_path):
    path = videos.vp8_webm(tmp_path).rename(tmp_path / "holiday.pdf")
    assert facts_of(path).mime_type == "video/webm"


@pytest.mark.parametrize(
    ("suffix", "index"), [(".mp4", "front"), (".mp4", "end"), (".mp4", "fragments"), (".mkv", "front")]
)
def test_the_duration_is_measured_to_a_frame(tmp_path, suffix, index):
    path = write_clip(tmp_path / f"clip{suffix}", seconds=2, index=index)
    assert facts_of(path).duration_ms == pytest.approx(2000, abs=70)


def test_a_recording_without_a_duration_in_its_header_is_measured(tmp_path):
    whole = videos.vp8_webm(tmp_path).read_bytes()
    # The Duration element (RFC 9559, 44 89) becomes a Void element (EC) of the same size, as browsers'
    # recorders leave it out.
    place = whole.index(b"\x44\x89\x88")
    recording = tmp_path / "recording.webm"
    recording.write_bytes(whole[:place] + b"\xec\x89" + bytes(9) + whole[place + 11 :])
    facts = facts_of(recording)
    assert facts.duration_ms == pytest.approx(2000, abs=40)
    assert facts.frame_rate_num == 30


def test_a_video_that_starts_late_is_as_long_as_the_players_timeline(tmp_path):
    early, late = videos.vp8_webm(tmp_path), tmp_path / "late.webm"
    with av.open(str(early)) as source, av.open(str(late), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                shift = int(5 / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    assert facts_of(late).duration_ms == pytest.approx(7000, abs=40)


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_size_is_the_one_on_the_screen_whatever_the_rotation(tmp_path, suffix, rotation_deg):
    path = write_clip(tmp_path / f"a{suffix}", seconds=0.3, size=(180, 320), rotation_deg=rotation_deg)
    facts = facts_of(path)
    assert (facts.width_px, facts.height_px, facts.rotation_deg) == (180, 320, rotation_deg)


@pytest.mark.parametrize(
    ("aspect", "rotation_deg", "size"),
    [(Fraction(4, 3), 0, (320, 180)), (Fraction(3, 4), 0, (240, 240)), (Fraction(4, 3), 90, (180, 320))],
)
def test_pixels_that_are_not_square_are_counted_as_they_are_shown(tmp_path, aspect, rotation_deg, size):
    stored = (180, 240) if rotation_deg else (240, 180)
    path = write_clip(tmp_path / "a.mp4", seconds=0.3, size=stored, pixel_aspect=aspect, rotation_deg=rotation_deg)
    facts = facts_of(path)
    assert (facts.width_px, facts.height_px) == size


def test_an_odd_size_is_kept(tmp_path):
    path = write_clip(tmp_path / "odd.mp4", seconds=0.3, size=(321, 181), pixel_format="yuv444p")
    facts = facts_of(path)
    assert (facts.width_px, facts.height_px) == (321, 181)


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60)]
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_frame_rate_is_an_exact_fraction_even_where_times_are_rounded(tmp_path, suffix, rate):
    path = write_clip(tmp_path / f"a{suffix}", size=(64, 64), seconds=3, frame_rate=rate, audio_codec=None)
    facts = facts_of(path)
    assert Fraction(facts.frame_rate_num, facts.frame_rate_den) == rate
    assert not facts.variable_frame_rate


def test_a_video_that_slows_down_has_a_variable_frame_rate(tmp_path):
    facts = facts_of(write_clip(tmp_path / "a.mp4", seconds=3, uneven=True))
    assert facts.variable_frame_rate
    assert 20 < facts.frame_rate_num / facts.frame_rate_den < 26


def test_a_header_that_claims_another_size_is_not_believed(tmp_path):
    facts = facts_of(videos.claims_65535_pixels(tmp_path))
    assert (facts.width_px, facts.height_px) == (320, 180)
