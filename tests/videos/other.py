"""Files that are no videos: sound, documents, programs, and lists of other files."""

import random
import zipfile
from pathlib import Path

import av

from core.media.clips import unchanged_priority, write_sound
from tests.videos.files import written


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
    return written(folder, "notes.mp4", b"Dear diary, today I did not record anything.\n" * 40)


def html_named_mp4(folder: Path) -> Path:
    return written(folder, "page.mp4", b"<!doctype html><title>x</title><script>alert(1)</script>")


def svg_named_mp4(folder: Path) -> Path:
    return written(folder, "drawing.mp4", b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>')


def png_named_mp4(folder: Path) -> Path:
    av.VideoFrame(32, 32, "rgb24").save(folder / "photo.png")
    return (folder / "photo.png").rename(folder / "photo.mp4")


@unchanged_priority()
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
    return written(folder, "paper.mp4", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")


def zip_named_mp4(folder: Path) -> Path:
    path = folder / "archive.mp4"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.txt", "hello")
    return path


def elf_named_mp4(folder: Path) -> Path:
    return written(folder, "program.mp4", b"\x7fELF\x02\x01\x01" + bytes(57) + random.Random(1).randbytes(4000))


def empty(folder: Path) -> Path:
    return written(folder, "empty.mp4", b"")


def one_byte(folder: Path) -> Path:
    return written(folder, "one byte.mp4", b"\0")


def noise(folder: Path) -> Path:
    return written(folder, "noise.mp4", random.Random(7).randbytes(200_000))


def hls_playlist(folder: Path, target: Path) -> Path:
    lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n"
    return written(folder, "playlist.mp4", lines.encode())


def ffconcat_list(folder: Path, target: Path) -> Path:
    return written(folder, "list.mp4", f"ffconcat version 1.0\nfile {target.name}\n".encode())
