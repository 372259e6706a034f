"""Files for tests, made on the spot: videos as phones and browsers make them, and files that are no videos.

Every builder takes the folder to write to and returns the path. `BAD` lists what must be refused, each with
the code; `DAMAGED` what may be refused or measured, but must end quickly and quietly.
"""

import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from core.media.clips import write_clip, write_sound

Builder = Callable[[Path], Path]


# Good ones


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
        hdr=True,
        seconds=0.5,
        size=(160, 90),
    )


# Sound, documents, programs


def audio_only_m4a(folder: Path) -> Path:
    return write_sound(folder / "song.m4a")


def audio_with_cover_m4a(folder: Path) -> Path:
    """A song whose cover is stored as a picture stream."""
    path, picture = folder / "song with cover.m4a", av.VideoFrame(64, 64, "yuvj420p")
    with (
        av.open(str(write_sound(folder / "bare.m4a"))) as song,
        av.open(str(path), "w", format="mp4") as container,
    ):
        source = song.streams.audio[0]
        audio = container.add_stream_from_template(source)
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(picture))
        for packet in song.demux(source):
            if packet.size:
                packet.stream = audio
                container.mux(packet)
    return path


def text_named_mp4(folder: Path) -> Path:
    return _written(folder, "notes.mp4", b"Dear diary, today I did not record anything.\n" * 40)


def html_named_mp4(folder: Path) -> Path:
    return _written(folder, "page.mp4", b"<!doctype html><title>x</title><script>alert(1)</script>")


def svg_named_mp4(folder: Path) -> Path:
    return _written(
        folder, "drawing.mp4", b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    )


def png_named_mp4(folder: Path) -> Path:
    av.VideoFrame(32, 32, "rgb24").save(folder / "photo.png")
    return (folder / "photo.png").rename(folder / "photo.mp4")


def avif_named_mp4(folder: Path) -> Path:
    """A photo in the container of MP4, as phones take them."""
    path = folder / "picture.avif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libsvtav1", rate=1, options={"preset": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    return path.rename(folder / "picture.mp4")


def pdf_named_mp4(folder: Path) -> Path:
    return _written(folder, "paper.mp4", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")


def zip_named_mp4(folder: Path) -> Path:
    path = folder / "archive.mp4"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.txt", "hello")
    return path


def elf_named_mp4(folder: Path) -> Path:
    return _written(folder, "program.mp4", b"\x7fELF\x02\x01\x01" + bytes(57) + random.Random(1).randbytes(4000))


def empty(folder: Path) -> Path:
    return _written(folder, "empty.mp4", b"")


def one_byte(folder: Path) -> Path:
    return _written(folder, "one byte.mp4", b"\0")


def noise(folder: Path) -> Path:
    return _written(folder, "noise.mp4", random.Random(7).randbytes(200_000))


# Lists of other files


def hls_playlist(folder: Path, target: Path) -> Path:
    lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n"
    return _written(folder, "playlist.mp4", lines.encode())


def ffconcat_list(folder: Path, target: Path) -> Path:
    return _written(folder, "list.mp4", f"ffconcat version 1.0\nfile {target.name}\n".encode())


# Incomplete or damaged


def ftyp_only(folder: Path) -> Path:
    return _written(folder, "ftyp.mp4", _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41"))


def truncated_index_front(folder: Path) -> Path:
    whole = write_clip(folder / "front.mp4", seconds=4, index="front").read_bytes()
    return _written(folder, "cut, index in front.mp4", whole[: len(whole) // 2])


def truncated_index_end(folder: Path) -> Path:
    whole = write_clip(folder / "end.mp4", index="end").read_bytes()
    return _written(folder, "cut, index at the end.mp4", whole[: len(whole) // 2])


def truncated_webm(folder: Path) -> Path:
    whole = write_clip(folder / "whole.webm", seconds=4, video_codec="libvpx", audio_codec=None).read_bytes()
    return _written(folder, "cut.webm", whole[: len(whole) // 2])


def no_frame(folder: Path) -> Path:
    """A complete index over pictures that are all zeros."""
    whole = bytearray(silent_mp4(folder).read_bytes())
    begin = whole.index(b"mdat") + 4
    whole[begin:] = bytes(len(whole) - begin)
    return _written(folder, "no frame.mp4", bytes(whole))


def bit_flipped(folder: Path) -> Path:
    whole, chance = bytearray(phone_mp4(folder).read_bytes()), random.Random(3)
    for _ in range(200):
        place = chance.randrange(64, len(whole))
        whole[place] ^= 1 << chance.randrange(8)
    return _written(folder, "flipped.mp4", bytes(whole))


# Absurd headers


def claims_136_years(folder: Path) -> Path:
    """The index says 2³² − 2 seconds; the pictures last one."""
    whole = _patched(silent_mp4(folder).read_bytes(), b"mvhd", 16, struct.pack(">II", 1, 2**32 - 2))
    whole = _patched(whole, b"mdhd", 20, struct.pack(">I", 2**32 - 2))
    return _written(folder, "136 years.mp4", whole)


def timescale_zero(folder: Path) -> Path:
    return _written(folder, "timescale.mp4", _patched(silent_mp4(folder).read_bytes(), b"mdhd", 16, bytes(4)))


def claims_65535_pixels(folder: Path) -> Path:
    """The index says 65535 × 65535, the pictures themselves are 320 × 180."""
    whole = _patched(silent_mp4(folder).read_bytes(), b"avc1", 28, struct.pack(">HH", 65535, 65535))
    return _written(folder, "65535.mp4", _patched(whole, b"tkhd", 80, struct.pack(">II", 65535 << 16, 65535 << 16)))


def vast_picture(folder: Path) -> Path:
    """VP8 whose every key frame says 8191 × 8191 in its own header (RFC 6386, section 9.1)."""
    path = write_clip(folder / "small.webm", size=(64, 64), seconds=0.2, video_codec="libvpx", audio_codec=None)
    whole = path.read_bytes().replace(b"\x9d\x01\x2a" + struct.pack("<HH", 64, 64), b"\x9d\x01\x2a\xff\x1f\xff\x1f")
    return _written(folder, "vast.webm", whole)


def large_picture(folder: Path) -> Path:
    return write_clip(folder / "large.avi", size=(4104, 64), seconds=0.1, video_codec="mjpeg", audio_codec=None)


def a_thousand_pictures_a_second(folder: Path) -> Path:
    return write_clip(folder / "1000.mp4", size=(64, 64), seconds=0.3, frame_rate=1000, audio_codec=None)


def five_hours(folder: Path) -> Path:
    """One picture an hour."""
    hourly = Fraction(1, 3600)
    return write_clip(folder / "5 hours.mp4", size=(64, 64), seconds=5 * 3600, frame_rate=hourly, audio_codec=None)


# Bombs


def nested_boxes(folder: Path) -> Path:
    depth = 20_000
    boxes = b"".join(struct.pack(">I4s", 8 * (depth - level), b"moov") for level in range(depth))
    return _written(folder, "nested.mp4", ftyp_only(folder).read_bytes() + boxes)


def vast_table(folder: Path) -> Path:
    """The table of sizes claims 2²⁸ entries."""
    whole = silent_mp4(folder).read_bytes()
    return _written(folder, "table.mp4", _patched(whole, b"stsz", 12, struct.pack(">I", 2**28)))


def compressed_index(folder: Path) -> Path:
    """A compressed index (QuickTime `cmov`) that unpacks to 256 MiB of zeros."""
    size_bytes = 256 * 1024 * 1024
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(256)) + packer.flush()
    cmov = _box(b"cmov", _box(b"dcom", b"zlib") + _box(b"cmvd", struct.pack(">I", size_bytes) + packed))
    return _written(folder, "cmov.mov", ftyp_only(folder).read_bytes() + _box(b"moov", cmov))


def three_thousand_tracks(folder: Path) -> Path:
    whole = write_clip(folder / "one track.mp4", size=(64, 64), seconds=0.2, audio_codec=None, index="end").read_bytes()
    moov, trak = whole.index(b"moov") - 4, whole.index(b"trak") - 4
    track = whole[trak : trak + struct.unpack_from(">I", whole, trak)[0]]
    body = whole[moov + 8 : moov + struct.unpack_from(">I", whole, moov)[0]] + track * 2999
    return _written(folder, "3000 tracks.mp4", whole[:moov] + _box(b"moov", body))


BAD: dict[Builder, str] = {
    audio_only_m4a: "no_video_track",
    audio_with_cover_m4a: "no_video_track",
    text_named_mp4: "not_a_video",
    html_named_mp4: "not_a_video",
    svg_named_mp4: "not_a_video",
    png_named_mp4: "not_a_video",
    avif_named_mp4: "not_a_video",
    pdf_named_mp4: "not_a_video",
    zip_named_mp4: "not_a_video",
    elf_named_mp4: "not_a_video",
    empty: "not_a_video",
    one_byte: "not_a_video",
    noise: "not_a_video",
    ftyp_only: "truncated",
    truncated_index_front: "truncated",
    truncated_index_end: "truncated",
    truncated_webm: "truncated",
    no_frame: "no_decodable_frame",
    vast_picture: "picture_too_large",
    large_picture: "picture_too_large",
    a_thousand_pictures_a_second: "frame_rate_too_high",
    five_hours: "too_long",
}

DAMAGED: tuple[Builder, ...] = (
    claims_136_years,
    bit_flipped,
    timescale_zero,
    claims_65535_pixels,
    nested_boxes,
    vast_table,
    compressed_index,
    three_thousand_tracks,
)


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _patched(whole: bytes, kind: bytes, offset: int, value: bytes) -> bytes:
    """Return the file with `value` put `offset` bytes after the type of every box of this kind."""
    content, place = bytearray(whole), whole.find(kind)
    while place >= 0:
        content[place + offset : place + offset + len(value)] = value
        place = whole.find(kind, place + 4)
    return bytes(content)
