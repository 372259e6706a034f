"""Opens a video for reading and yields its packets.

# Note [No other file is opened]
Some formats are lists of other files or addresses, and FFmpeg would fetch them: a playlist named .mp4 could
show another person's video. Only formats that hold their own pictures are allowed by name, only the `file`
protocol, and references from one QuickTime file to another stay switched off.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.error import EOFError as EndOfFile
from av.error import FFmpegError

_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi",
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
MAX_BROKEN_PACKETS = 500


def open_video(path: Path) -> Any:
    """Open the file for reading, with nothing but the file (see Note [No other file is opened])."""
    return av.open(f"file:{path.absolute()}", options=_OPTIONS, metadata_errors="replace")


def picture_stream(container: Any) -> Any | None:
    """Return the first stream of moving pictures, or None; the cover of a sound file is none."""
    for stream in container.streams.video:
        if not stream.disposition & (av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails):
            return stream
    return None


def readable_packets(container: Any, streams: list[Any]) -> Iterator[Any]:
    """Yield the packets that can be read; a damaged one is passed over, and after many the file is over."""
    for _ in range(MAX_BROKEN_PACKETS):
        try:
            yield from (packet for packet in container.demux(streams) if packet.size)
        except EndOfFile:
            return
        except MemoryError:
            raise
        except FFmpegError:
            continue
        return
