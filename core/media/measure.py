"""Measures a video by its packets: how long it is, how its pictures follow each other, which streams run smoothly.

# Note [The player's timeline]
A browser counts from zero even when the first packet comes later (tried in Chromium with MP4 and WebM that
start 0.5, 5 and 100 s late), so the length is where the last packet ends, and not how long all packets take
together.
"""

from array import array
from fractions import Fraction
from typing import Any

from core.media.timing import FrameTiming, measure_timing

_MAX_GAP_S = Fraction(1, 4)  # some browsers let the sound run ahead over longer ones
_MAX_TIMED_PICTURES = 200_000  # 8 bytes each; nearly an hour at 60 pictures a second, enough for any rate


class Measure:
    """What the packets of a file tell while they pass by; its size does not grow with the file."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ends: dict[int, int] = {}  # in ticks: fractions would cost more than reading the packets
        self._ticks: dict[int, Fraction] = {}
        self._moments = array("q")
        self._picture_ticks = 0
        self._uneven: set[int] = set()
        self._seen: set[int] = set()
        self.pictures = 0

    def add(self, packet: Any) -> None:
        """Take note of one packet of the pictures or of a sound."""
        moment, length, number = packet.pts, packet.duration or 0, packet.stream_index
        if moment is None:
            self._uneven.add(number)
            moment = packet.dts
            if moment is None:
                return
        self._look(packet, moment, length, number)
        if number == self._stream.index:
            self.pictures += 1
            self._picture_ticks = length or self._picture_ticks
            if self.pictures <= _MAX_TIMED_PICTURES:
                self._moments.append(moment)
        if moment + length > self._ends.get(number, 0):
            self._ends[number] = moment + length
            self._ticks[number] = packet.time_base

    def _look(self, packet: Any, moment: int, length: int, number: int) -> None:
        """Note whether a player must be clever about this packet: hidden, after a gap, or not where to begin."""
        is_picture = number == self._stream.index
        if number not in self._seen:
            self._seen.add(number)
            late = moment * packet.time_base > _MAX_GAP_S
            rough = not packet.is_keyframe if is_picture else late
        elif is_picture:
            rough = packet.is_discard
        else:
            most = float(_MAX_GAP_S / packet.time_base)
            rough = length > most or moment - self._ends.get(number, 0) > most
        if rough:
            self._uneven.add(number)

    def smooth(self) -> frozenset[int]:
        """Return the streams whose packets can be copied as they come."""
        return frozenset(self._seen - self._uneven)

    def timing(self) -> FrameTiming:
        """Return how the pictures follow each other."""
        tick, stream = self._stream.time_base, self._stream
        length = Fraction(1) / (self._picture_ticks * tick) if self._picture_ticks else None
        return measure_timing(self._moments, tick, [length, stream.average_rate, stream.guessed_rate])

    def duration_ms(self, timing: FrameTiming) -> int:
        """Return where the player's timeline ends (see Note [The player's timeline])."""
        end_s = max((end * self._ticks[number] for number, end in self._ends.items()), default=Fraction(0))
        if not self._picture_ticks:
            # The pictures of a WebM name no length: the last one is shown as long as the others.
            own_end = self._ends.get(self._stream.index, 0) * self._stream.time_base
            end_s = max(end_s, own_end + 1 / timing.rate)
        return max(1, round(end_s * 1000))
