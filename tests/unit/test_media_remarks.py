"""What cameras write between the pictures themselves: found out, and taken out without touching the rest."""

from pathlib import Path
from typing import Any

import av
import pytest

from core.media.clips import write_clip
from core.media.facts import Need, VideoFacts
from core.media.inspection import inspect_video
from core.media.remarks import Remarks
from core.media.rendition import make_rendition, rendition_limits
from tests.videos.marked import marked, seen
from tests.videos.remarked import CAPTIONS, RECOVERY_POINT, remarked, unit, user_data

SECRET = b"GPS +48.8577 +002.2950 SN 4711"
LIMITS = rendition_limits(duration_ms=2000, size_bytes=1_000_000)
#: The picture can be decoded from here on: kind 6, one byte that says "after no picture, exactly".
RECOVERY = (RECOVERY_POINT, b"\xc4")
#: ATSC A/53 closed captions (ITU-T T.35: United States, ATSC), two characters of them.
SPOKEN = bytes.fromhex("b50031") + b"GA94" + bytes.fromhex("03c1fffc") + b"Hi" + b"\xff"
MASTERING = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"


def inspected(source: Path) -> VideoFacts:
    return inspect_video(source, poster=source.with_suffix(".jpg"))


def rendition_of(source: Path, need: str) -> Path:
    target = source.with_name("rendition.mp4")
    assert not make_rendition(source, target, need=need, limits=LIMITS).reveals_metadata
    return target


def h264(folder: Path) -> Path:
    return marked(folder / "plain.mp4", audio_codec=None)


def hevc(folder: Path, **options: Any) -> Path:
    return write_clip(
        folder / "plain.mp4", seconds=0.3, size=(160, 90), video_codec="libx265", audio_codec=None, **options
    )


def said_in(path: Path) -> bytes:
    """Return what FFmpeg's decoder finds said beside the first picture."""
    with av.open(str(path)) as container:
        data = next(container.decode(video=0)).side_data
        return b"".join(bytes(each) for each in data if each.type.name == "SEI_UNREGISTERED")


def test_a_cameras_text_beside_the_pictures_is_found_and_not_copied(tmp_path):
    source = remarked(h264(tmp_path), tmp_path / "camera.mp4", unit("h264", user_data(SECRET)))
    facts = inspected(source)
    assert (SECRET in said_in(source), facts.reveals_metadata, facts.need) == (True, True, Need.REMUX)
    copied = rendition_of(source, facts.need)
    assert SECRET not in copied.read_bytes()
    assert b"x264 - core" in said_in(copied)  # the settings of the encoder are no secret, and so is the rest that stays
    assert seen(copied) == seen(source)


@pytest.mark.parametrize("kind", [4, 5])
def test_user_data_of_either_kind_is_found_in_hevc_and_gone_from_its_rendition(tmp_path, kind):
    message = user_data(SECRET) if kind == 5 else (kind, b"\xb5\0\x2f" + SECRET)
    source = remarked(hevc(tmp_path), tmp_path / "camera.mp4", unit("hevc", message))
    facts = inspected(source)
    assert (facts.reveals_metadata, facts.need) == (True, Need.TRANSCODE)
    assert SECRET not in rendition_of(source, facts.need).read_bytes()


def test_only_the_telling_message_of_a_unit_goes(tmp_path):
    place = user_data(SECRET + b"\0\0\0\0\1")
    source = remarked(h264(tmp_path), tmp_path / "camera.mp4", unit("h264", place, RECOVERY, place))
    copied = rendition_of(source, inspected(source).need).read_bytes()
    assert (SECRET in copied, copied.count(unit("h264", RECOVERY))) == (False, 30)
    assert seen(tmp_path / "rendition.mp4") == seen(source)


def test_a_message_that_claims_to_be_longer_than_its_unit_goes(tmp_path):
    cut = unit("h264", (RECOVERY_POINT, SECRET)).replace(bytes((len(SECRET),)), b"\x7f", 1)
    source = remarked(h264(tmp_path), tmp_path / "camera.mp4", cut)
    assert SECRET not in rendition_of(source, inspected(source).need).read_bytes()


def test_units_that_the_standard_leaves_to_anyone_go(tmp_path):
    source = remarked(h264(tmp_path), tmp_path / "camera.mp4", b"\x1e" + SECRET)
    facts = inspected(source)
    assert facts.reveals_metadata
    assert SECRET not in rendition_of(source, facts.need).read_bytes()


def test_what_serves_the_player_tells_nothing(tmp_path):
    source = remarked(h264(tmp_path), tmp_path / "fine.mp4", unit("h264", RECOVERY))
    assert not inspected(source).reveals_metadata


def test_hdr10_tells_nothing_and_its_light_survives_what_is_taken_out(tmp_path):
    options = {"x265-params": f"log-level=none:repeat-headers=1:hdr10=1:{MASTERING}"}
    plain = hevc(tmp_path, pixel_format="yuv420p10le", colors="pq", codec_options=options)
    assert not inspected(plain).reveals_metadata
    source = remarked(plain, tmp_path / "camera.mp4", unit("hevc", user_data(SECRET)))
    assert inspected(source).reveals_metadata
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        packet = next(container.demux(stream))
        kept = Remarks(stream).without(packet)
        light = {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
        assert SECRET not in kept
        assert light <= {data.type.name for data in first_picture(stream, kept).side_data}


def first_picture(stream: Any, content: bytes) -> Any:
    decoder = av.CodecContext.create(stream.codec_context.name, "r")
    decoder.extradata = stream.codec_context.extradata
    return [*decoder.decode(av.Packet(content)), *decoder.decode(None)][0]


def test_captions_of_the_source_are_not_written_down_again(tmp_path):
    plain = marked(tmp_path / "plain.mp4", audio_codec=None)
    source = remarked(plain, tmp_path / "captions.mp4", unit("h264", (CAPTIONS, SPOKEN)))
    with av.open(str(source)) as container:
        assert "A53_CC" in {data.type.name for data in next(container.decode(video=0)).side_data}
    assert b"GA94" not in rendition_of(source, Need.TRANSCODE).read_bytes()


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4"])
def test_a_format_where_nobody_looks_may_tell(tmp_path, codec):
    path = write_clip(tmp_path / "a.mov", seconds=0.3, size=(160, 90), video_codec=codec, audio_codec=None)
    assert inspected(path).reveals_metadata
