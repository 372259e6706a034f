"""Decodes the pictures of a video and encodes them as H.264 that plays everywhere.

# Note [The same zero]
`at_ms` of a comment is what the player shows, so a rendition keeps each picture's moment; the frame rate may be as
uneven as it was. Two things change: the first picture is shown from zero on, where the source begins later (players
show nothing or black until then, each in its way), and beyond 60 a second pictures are left out.

# Note [A key frame a second]
Seeking decodes from the last key frame, so stepping and looping feel immediate when none is further than a second
away. The encoder counts pictures, which says nothing with an uneven rate; so key frames are asked for by the clock.

# Note [Encoding beside decoding]
The libraries let go of Python's lock, so one thread encodes while this one decodes, scales and writes: what comes out
is the same byte for byte, and no core waits for the other's work. Only a few pictures are ahead, for they are large.
The encoder's own threads work on a picture each: PyAV asks for slices of one picture unless told otherwise, and then
they wait for one another at its end (measured with 1080p: 1.3 times the wall time, and 0.4 % more bytes).
"""

import heapq
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import Any

from core.media.color import BT709, LIMITED_RANGE
from core.media.decoding import PatientDecoder, refuse_large
from core.media.facts import Limits, refusal
from core.media.framing import rendition_size, steps_to
from core.media.graphs import PictureGraph
from core.media.needs import MAX_FRAME_RATE
from core.media.probe import Probed

_ENCODER = "libx264"
_SETTINGS = {"preset": "veryfast", "crf": "22", "profile": "high", "maxrate": "10M", "bufsize": "20M"}
_SETTINGS |= {"a53cc": "0"}  # else it writes the source's captions down again (see Note [Remarks that may tell])
_THREADS = 2
_MAX_AHEAD = 8
_TICK = Fraction(1, 90_000)
_FINE_TICKS = range(10_000, 240_001)
_KEY_INTERVAL_S = 1
_KEY_PICTURE = 1  # AV_PICTURE_TYPE_I
_SLOT_SLACK = Fraction(1, 4)  # for moments that a container rounded down
_MAX_BROKEN_PACKETS = 500


class Moments:
    """Says when each picture of a stream is shown, in ticks of `tick` seconds (see Note [The same zero])."""

    def __init__(self, stream: Any, rate: Fraction):
        own: Fraction = stream.time_base
        self.tick = own if own.numerator == 1 and own.denominator in _FINE_TICKS else _TICK
        self.length = round(1 / rate / self.tick)
        self._ratio = own / self.tick
        self._thin_out = rate > MAX_FRAME_RATE + 1
        self._last = self._slot = -1
        # An AVI has no moments of pictures, only an order of packets: the n-th picture gets the n-th smallest.
        self._is_ordered_only = stream.container.format.name == "avi"
        self._waiting: list[int] = []

    @property
    def begun(self) -> bool:
        """Whether there was a picture already."""
        return self._last >= 0

    def note(self, packet: Any) -> None:
        """Take note of a packet before it is decoded."""
        if self._is_ordered_only and packet.dts is not None:
            heapq.heappush(self._waiting, packet.dts)

    def next(self, pts: int | None) -> int | None:
        """Return the moment of a picture with this time stamp; None when it is not shown."""
        if self._is_ordered_only:
            pts = heapq.heappop(self._waiting) if self._waiting else None
        if not self.begun:
            moment = 0
        else:
            moment = self._last + self.length if pts is None else round(pts * self._ratio)
        if moment <= self._last or (self._thin_out and not self._has_slot(moment)):
            return None
        self._last = moment
        return moment

    def _has_slot(self, moment: int) -> bool:
        slot = int(moment * self.tick * MAX_FRAME_RATE + _SLOT_SLACK)
        if slot <= self._slot:
            return False
        self._slot = slot
        return True


class EncodedPictures:
    """Takes the packets of one stream of pictures and writes H.264 into the target."""

    def __init__(self, target: Any, stream: Any, probed: Probed, limits: Limits):
        rate = Fraction(probed.facts.frame_rate_num, probed.facts.frame_rate_den)
        size = rendition_size(probed.facts.width_px, probed.facts.height_px)
        self._target, self._limits = target, limits
        stream.codec_context.thread_count, stream.codec_context.thread_type = _THREADS, "AUTO"
        self._decoder = PatientDecoder(stream.codec_context, _MAX_BROKEN_PACKETS)
        self._moments = Moments(stream, rate)
        self._graph = PictureGraph(
            lambda frame: steps_to(size, frame, stream.sample_aspect_ratio, probed.orientation), self._moments.tick
        )
        self._stream = target.add_stream(_ENCODER, rate=min(rate, Fraction(MAX_FRAME_RATE)), options=_SETTINGS)
        _set_up(self._stream.codec_context, size, self._moments.tick)
        self._stream.codec_context.open()  # before the other thread has it
        self._encoding, self._ahead = ThreadPoolExecutor(1), deque[Future[Any]]()
        self._next_key = 0

    def take(self, packet: Any | None) -> None:
        """Encode what the packet completes; None asks for what the decoder still holds."""
        if packet is not None:
            self._moments.note(packet)
        for frame in self._decoded(packet):
            refuse_large(frame.width, frame.height, self._limits)
            moment = self._moments.next(frame.pts)
            if moment is not None:
                frame.pts, frame.time_base = moment, self._moments.tick
                self._encode(self._graph.push(frame))

    def finish(self) -> None:
        """Write what the decoder and the encoder still hold; raise NotAVideo when there was no picture at all."""
        self.take(None)
        if not self._moments.begun:
            raise refusal("no_decodable_frame", self._limits)
        self._encode(self._graph.drain())
        self._ahead.append(self._encoding.submit(self._stream.encode, None))
        self._write(0)

    def _decoded(self, packet: Any | None) -> list[Any]:
        frames = self._decoder.frames(packet)
        return [frame for frame in frames if self._moments.begun or not frame.is_corrupt]

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            frame.pict_type = 0
            if frame.pts + self._moments.length > self._next_key:
                frame.pict_type = _KEY_PICTURE
                self._next_key = frame.pts + round(_KEY_INTERVAL_S / self._moments.tick)
            self._ahead.append(self._encoding.submit(self._stream.encode, frame))
            self._write(_MAX_AHEAD)

    def _write(self, left: int) -> None:
        """Write what was encoded, in order, until at most `left` pictures are ahead."""
        while len(self._ahead) > left:
            self._target.mux(self._ahead.popleft().result())


def _set_up(encoder: Any, size: tuple[int, int], tick: Fraction) -> None:
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", tick
    encoder.thread_count, encoder.thread_type = _THREADS, "FRAME"
    encoder.color_primaries = encoder.color_trc = encoder.colorspace = BT709
    encoder.color_range, encoder.sample_aspect_ratio = LIMITED_RANGE, Fraction(1)
    encoder.gop_size = 10 * MAX_FRAME_RATE  # see Note [A key frame a second]
