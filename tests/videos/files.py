"""Writing files byte by byte: boxes of ISO files, and bytes put in place of others."""

import struct
from pathlib import Path


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def patched(whole: bytes, kind: bytes, offset: int, value: bytes) -> bytes:
    """Return the file with `value` put `offset` bytes after the type of every box of this kind."""
    content, place = bytearray(whole), whole.find(kind)
    while place >= 0:
        content[place + offset : place + offset + len(value)] = value
        place = whole.find(kind, place + 4)
    return bytes(content)
