"""Renditions of what cameras do beside the usual: HDR, interlaced pictures, tracks of places, many channels."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from core.media.facts import Need, VideoFacts
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition, rendition_limits
from tests.videos.interlaced import combing, interlaced_mp4
from tests.videos.marked import CORNERS, marked, repacked, seen, ticks_heard

LIMITS = rendition_limits(duration_ms=2000, size_bytes=10_000_000)
PLACE = b"+48.8577+002.295/"


def made(source: Path) -> tuple[str, Path, VideoFacts]:
    """Return what the video needs, its rendition, and what was measured about that."""
    need = inspect_video(source, poster=source.with_name("poster.jpg")).need
    target = source.with_name("rendition.mp4")
    return need, target, make_rendition(source, target, need=need, limits=LIMITS)


def packets_of(path: Path, kind: str) -> list[bytes]:
    """Return the content of each packet of the first stream of pictures ("video") or sound ("audio")."""
    with av.open(str(path)) as container:
        streams: dict[str, Any] = {"video": container.streams.video, "audio": container.streams.audio}
        return [bytes(packet) for packet in container.demux(streams[kind][0]) if packet.size]


def with_places(source: Path, target: Path) -> Path:
    """Copy the video and add a track of places, as action cameras write it (GoPro's `gpmd`)."""
    with av.open(str(source)) as read, av.open(str(target), "w", options={"movflags": "+faststart"}) as written:
        tracks = {stream.index: written.add_stream_from_template(stream) for stream in read.streams}
        places = written.add_data_stream("bin_data")
        for packet in read.demux():
            if packet.size:
                packet.stream = tracks[packet.stream_index]
                written.mux(packet)
        place = av.Packet(PLACE)
        place.pts = place.dts = 0
        place.duration, place.time_base, place.stream = 1000, Fraction(1, 1000), places
        written.mux(place)
    return target


def test_hevc_as_apple_names_it_is_encoded(tmp_path):
    source = marked(tmp_path / "a.mov", video_codec="libx265", codec_tag="hvc1")
    assert b"hvc1" in source.read_bytes()
    need, path, _ = made(source)
    assert need == Need.TRANSCODE
    assert len(seen(path)) == 30


def test_hlg_gets_the_colors_of_an_ordinary_screen(tmp_path):
    options: dict[str, Any] = {"video_codec": "libx265", "pixel_format": "yuv420p10le", "colors": "hlg"}
    _, path, _ = made(marked(tmp_path / "a.mov", seconds=0.2, audio_codec=None, codec_tag="hvc1", **options))
    with av.open(str(path)) as container:
        encoder = container.streams.video[0].codec_context
        assert (encoder.color_trc, encoder.color_primaries, encoder.pix_fmt) == (1, 1, "yuv420p")
    assert all(picture.corners == CORNERS for picture in seen(path))


def test_interlaced_pictures_become_whole_ones(tmp_path):
    source = interlaced_mp4(tmp_path)
    need, path, _ = made(source)
    assert need == Need.TRANSCODE
    assert combing(source) > 40
    assert combing(path) < 10
    with av.open(str(path)) as container:
        assert not any(frame.interlaced_frame for frame in container.decode(video=0))


def test_fragments_without_a_duration_get_one_and_an_index(tmp_path):
    source = marked(tmp_path / "a.mp4", index="fragments")
    whole = source.read_bytes()
    place = whole.index(b"mvhd") + 20
    assert whole[place : place + 4] == bytes(4)  # the duration in the header
    need, path, facts = made(source)
    assert need == Need.REMUX
    assert b"moof" not in path.read_bytes()
    assert facts.duration_ms == pytest.approx(1000, abs=70)
    assert packets_of(path, "video") == packets_of(source, "video")


def test_sound_of_six_channels_becomes_two_at_the_same_moments(tmp_path):
    need, path, _ = made(marked(tmp_path / "a.mp4", audio_layout="5.1"))
    assert need == Need.TRANSCODE
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.layout.name == "stereo"
    assert ticks_heard(path) == pytest.approx([0.0, 0.5], abs=0.012)


def test_pictures_that_are_fine_are_copied_while_their_sound_is_encoded(tmp_path):
    source = marked(tmp_path / "a.mp4", audio_layout="5.1")
    _, path, _ = made(source)
    assert packets_of(path, "video") == packets_of(source, "video")


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.3gp"])
def test_a_remux_copies_every_packet_byte_by_byte(tmp_path, name):
    source = marked(tmp_path / name)
    need, path, _ = made(source)
    assert need == Need.REMUX
    assert packets_of(path, "video") == packets_of(source, "video")
    assert packets_of(path, "audio") == packets_of(source, "audio")


def test_a_track_of_places_is_gone_after_a_remux(tmp_path):
    source = with_places(marked(tmp_path / "a.mp4"), tmp_path / "gopro.mp4")
    assert PLACE in source.read_bytes()
    assert inspect_video(source, poster=tmp_path / "p.jpg").reveals_metadata
    need, path, facts = made(source)
    assert need == Need.REMUX
    assert not facts.reveals_metadata
    assert PLACE not in path.read_bytes()
    with av.open(str(path)) as container:
        assert sorted(stream.type for stream in container.streams) == ["audio", "video"]


def test_of_two_tracks_a_place_beside_them_is_gone_as_well(tmp_path):
    twice = repacked(marked(tmp_path / "a.mp4"), tmp_path / "two.mp4", copies=2)
    _, path, _ = made(with_places(twice, tmp_path / "gopro.mp4"))
    assert PLACE not in path.read_bytes()
