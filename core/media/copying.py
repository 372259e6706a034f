"""Copies a stream of packets into another file as they are.

# Note [Moments of decoding]
An MP4 says of each packet when it is decoded, in strict order, and when it is shown. Matroska says only the latter;
FFmpeg works the other out but for the first packets of a stream whose pictures are shown in another order. Those are
counted back from the first one that is known.
"""

from typing import Any

import av

from core.media.remarks import Remarks


class Unfit(Exception):
    """The packets cannot be copied into an MP4: they must be decoded and encoded anew."""


class CopiedTrack:
    """Takes the packets of one stream of the source and writes them into the target."""

    def __init__(self, target: Any, stream: Any, *, rotation_deg: int = 0):
        self._target = target
        self._waiting: list[Any] = []
        self._last_dts: int | None = None
        self._remarks = Remarks(stream) if stream.type == "video" else None
        try:
            self._stream = target.add_stream_from_template(stream, opaque=True)
        except ValueError as error:
            raise Unfit(str(error)) from error
        if rotation_deg:
            self._stream.set_display_rotation(-rotation_deg)

    def take(self, packet: Any) -> None:
        """Write one packet; raise Unfit when its moment is unknown or before the last one's."""
        if packet.dts is None and self._last_dts is None:
            self._waiting.append(packet)
            return
        self._release(packet.dts)
        self._write(packet)

    def finish(self) -> None:
        """Write what waits for a moment that never came."""
        if self._waiting:
            raise Unfit("no packet says when it is decoded")

    def _release(self, known_dts: int | None) -> None:
        if known_dts is None:
            raise Unfit("a packet does not say when it is decoded")
        for place, packet in enumerate(self._waiting):
            packet.dts = known_dts - (len(self._waiting) - place) * (packet.duration or 1)
            self._write(packet)
        self._waiting = []

    def _write(self, packet: Any) -> None:
        if packet.pts is None or (self._last_dts is not None and packet.dts <= self._last_dts):
            raise Unfit("the packets have no order")
        self._last_dts = packet.dts
        if self._remarks and self._remarks.tell_in(packet):
            packet = _silent(packet, self._remarks)
        packet.stream = self._stream
        self._target.mux(packet)


def _silent(packet: Any, remarks: Remarks) -> Any:
    """Return the packet without its telling remarks; Unfit when they cannot be taken out."""
    try:
        content = remarks.without(packet)
    except ValueError as error:
        raise Unfit(str(error)) from error
    if not content:
        raise Unfit("a packet holds nothing but remarks")
    silent: Any = av.Packet(content)
    silent.pts, silent.dts, silent.time_base, silent.duration = (
        packet.pts, packet.dts, packet.time_base, packet.duration,
    )  # fmt: skip
    silent.is_keyframe = packet.is_keyframe
    return silent
