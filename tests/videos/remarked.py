"""Videos with messages (SEI) between their pictures, as cameras and encoders write them."""

from pathlib import Path
from typing import Any

import av

#: ISO 11578: a name for a maker's own format that nobody else uses.
CAMERA = "086f3693-b7b3-4f2c-9653-21492feee5b8"
USER_DATA, CAPTIONS, RECOVERY_POINT = 5, 4, 6
_HEADERS = {"h264": b"\x06", "hevc": b"\x4e\x01"}


def unit(codec: str, *messages: tuple[int, bytes]) -> bytes:
    """Return one unit that holds these messages, each a kind and a body (H.264, section 7.3.2.3)."""
    said = b"".join(bytes((kind, len(body))) + body for kind, body in messages) + b"\x80"
    escaped, zeros = bytearray(_HEADERS[codec]), 0
    for byte in said:  # section 7.4.1: no three bytes may look like the beginning of a unit
        if zeros == 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(escaped)


def user_data(text: bytes) -> tuple[int, bytes]:
    """Return the message of a camera that says this."""
    return USER_DATA, bytes.fromhex(CAMERA.replace("-", "")) + text


def remarked(source: Path, target: Path, *units: bytes) -> Path:
    """Copy an MP4 with these units before each of its pictures."""
    extra = b"".join(len(each).to_bytes(4) + each for each in units)
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        copies = {stream.index: written.add_stream_from_template(stream, opaque=True) for stream in read.streams}
        for packet in read.demux():
            if packet.size:
                head = extra if packet.stream.type == "video" else b""
                copy: Any = av.Packet(head + bytes(packet))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
                copy.stream = copies[packet.stream_index]
                written.mux(copy)
    return target
