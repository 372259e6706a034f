"""Remarks: what an encoder or a camera writes between the pictures of H.264 and HEVC, and how it is taken out.

# Note [Remarks that may tell]
Both formats carry messages (SEI: ITU-T H.264 and H.265, annex D). Most serve the player: by recovery points it seeks,
by HDR10's mastering display it shows light as meant. Two kinds are open to anything (4, registered, and 5,
unregistered user data), and some cameras put places, speeds and serial numbers there; so do units whose type the
standards leave to whoever likes. Those count as telling, unless they begin as one of `_HARMLESS` does. They are taken
out message by message, and the rest stays as it was: without its recovery points a video could not be sought.
Other formats have such places, too (the comments of a JPEG, the user data of MPEG-4): where nobody looks, something
may be told.
"""

import re
from collections.abc import Iterator
from typing import Any

_UNREADABLE = -1
_OPEN_KINDS = {4, 5, _UNREADABLE}
_HARMLESS = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef") + b"x264",  # settings of the encoder
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e") + b"x265",
    bytes.fromhex("b5003c0001"),  # HDR10+ (SMPTE ST 2094-40): curves of brightness
)
_MUTE = {"vp8", "vp9", "prores"}  # have no place for remarks
_ESCAPE, _ESCAPED = re.compile(rb"\x00\x00(?=[\x00-\x03])"), b"\0\0\3"
_START, _STOP_BIT = b"\0\0\1", b"\x80"


class Remarks:
    """The remarks in one stream of pictures."""

    def __init__(self, stream: Any):
        context = stream.codec_context
        self._codec = context.codec.canonical_name if context else ""
        self._setup = bytes(context.extradata or b"") if context else b""
        self._is_hevc = self._codec == "hevc"
        self._length_bytes = self._read_length_bytes()

    def tell(self) -> bool:
        """Return whether something may be told before the first packet: in the set-up, or where nobody can look."""
        if self._codec in {"h264", "hevc"}:
            return any(self._tells(unit) for unit in self._units_of_setup())
        return self._codec not in _MUTE

    def tell_in(self, packet: Any) -> bool:
        """Return whether a packet has a remark that may tell; one that cannot be read counts as such."""
        if self._codec not in {"h264", "hevc"}:
            return False
        try:
            return any(self._tells(unit) for unit in self._units(memoryview(packet)))
        except ValueError:
            return True

    def without(self, packet: Any) -> bytes:
        """Return the content of a packet without its telling remarks; ValueError when it cannot be read."""
        kept = (self._silenced(bytes(unit)) for unit in self._units(memoryview(packet)))
        size = self._length_bytes
        return b"".join((len(unit).to_bytes(size) if size else _START) + unit for unit in kept if unit)

    def _read_length_bytes(self) -> int:
        """Return how many bytes give the length of a unit; 0 where start codes part them (ISO 14496-15)."""
        place = 21 if self._is_hevc else 4
        return (self._setup[place] & 3) + 1 if self._setup[:1] == b"\1" and len(self._setup) > place else 0

    def _units(self, content: memoryview) -> Iterator[memoryview | bytes]:
        if not self._length_bytes:
            yield from filter(None, (unit.rstrip(b"\0") for unit in bytes(content).split(_START)))
            return
        begin = 0
        while begin < len(content):
            body = begin + self._length_bytes
            end = body + int.from_bytes(content[begin:body])
            if end > len(content):
                raise ValueError("a unit is longer than its packet")
            if end > body:
                yield content[body:end]
            begin = end

    def _units_of_setup(self) -> Iterator[memoryview | bytes]:
        """Yield the units in HEVC's set-up, which has room for remarks; that of H.264 in an MP4 has none."""
        if not self._length_bytes:
            yield from self._units(memoryview(self._setup))
        elif self._is_hevc:
            place = 23
            for _ in range(self._setup[22] if len(self._setup) > 22 else 0):
                count = int.from_bytes(self._setup[place + 1 : place + 3])
                place += 3
                for _ in range(count):
                    end = place + 2 + int.from_bytes(self._setup[place : place + 2])
                    yield self._setup[place + 2 : end]
                    place = end

    def _kind(self, unit: memoryview | bytes) -> int:
        return (unit[0] >> 1) & 0x3F if self._is_hevc else unit[0] & 0x1F

    def _is_anyones(self, kind: int) -> bool:
        """Return whether the standard leaves the type to whoever likes; 62 and 63 are Dolby Vision's in HEVC."""
        return 48 <= kind < 62 if self._is_hevc else kind == 0 or kind >= 24

    def _tells(self, unit: memoryview | bytes) -> bool:
        if not unit:
            return False
        kind = self._kind(unit)
        if kind in ({39, 40} if self._is_hevc else {6}):
            return any(_is_telling(kind, body) for kind, _, body in self._messages(bytes(unit)))
        return self._is_anyones(kind)

    def _silenced(self, unit: bytes) -> bytes:
        """Return the unit without its telling messages, b"" when nothing is left."""
        if not self._tells(unit):
            return unit
        if self._is_anyones(self._kind(unit)):
            return b""
        kept = [head + body for kind, head, body in self._messages(unit) if not _is_telling(kind, body)]
        header = unit[: self._header_bytes]
        return header + _ESCAPE.sub(_ESCAPED, b"".join(kept) + _STOP_BIT) if kept else b""

    @property
    def _header_bytes(self) -> int:
        return 2 if self._is_hevc else 1

    def _messages(self, unit: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield each message's kind, the bytes that give kind and length, and its body (section 7.3.2.3)."""
        plain = unit.replace(_ESCAPED, b"\0\0")
        place = self._header_bytes
        while len(plain) - place > 1:
            begin = place
            kind, place = _number(plain, place)
            length, place = _number(plain, place)
            head, body = plain[begin:place], plain[place : place + length]
            # One that is longer than its unit cannot be told from what follows it: it counts as user data.
            yield (kind if len(body) == length else _UNREADABLE), head, body
            place += length


def _is_telling(kind: int, body: bytes) -> bool:
    return kind in _OPEN_KINDS and not body.startswith(_HARMLESS)


def _number(content: bytes, place: int) -> tuple[int, int]:
    """Return a number that is written as many 255s and a rest, and where it ends."""
    number = 0
    while content[place : place + 1] == b"\xff":
        number, place = number + 255, place + 1
    return number + int.from_bytes(content[place : place + 1]), place + 1
