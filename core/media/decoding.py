"""Decodes what can be decoded: up to the first picture, or all but what is damaged; refuses pictures too large."""

from typing import Any

import av
from av.error import FFmpegError

from core.media.facts import Limits, refusal
from core.media.reading import MAX_BROKEN_PACKETS


class FirstPicture:
    """Decodes until there is one picture, and refuses it when it is too large."""

    def __init__(self, stream: Any, limits: Limits):
        self._context, self._limits, self._broken = stream.codec_context, limits, 0
        if self._context is None:
            raise refusal("no_decodable_frame", limits)
        self._context.thread_count = 1  # more threads hold more pictures in memory and gain nothing for one

    def from_packet(self, packet: Any | None) -> av.VideoFrame | None:
        """Return a picture if the packet completes one; None asks for what the decoder still holds."""
        if self._broken > MAX_BROKEN_PACKETS:
            return None
        try:
            frames = self._context.decode(packet)
        except (FFmpegError, MemoryError) as error:
            # A picture that does not fit into memory is too large whenever the stream itself says so.
            refuse_large(self._context.width, self._context.height, self._limits)
            if isinstance(error, MemoryError):
                raise
            self._broken += 1
            return None
        for frame in frames:
            refuse_large(frame.width, frame.height, self._limits)
            if not frame.is_corrupt:
                return frame
        return None


class PatientDecoder:
    """Decodes packet after packet and passes over damaged ones; after `most_broken` the error passes through."""

    def __init__(self, context: Any, most_broken: int):
        self._context, self._left = context, most_broken

    def frames(self, packet: Any | None) -> list[Any]:
        """Return what the packet completes; None asks for what the decoder still holds."""
        try:
            return self._context.decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            self._left -= 1
            if self._left < 0:
                raise
            return []


def refuse_large(width_px: int, height_px: int, limits: Limits) -> None:
    """Raise NotAVideo when the picture is larger than the limits in its orientation."""
    longest, shortest = sorted((limits.max_width_px, limits.max_height_px), reverse=True)
    if max(width_px, height_px) > longest or min(width_px, height_px) > shortest:
        raise refusal("picture_too_large", limits)
