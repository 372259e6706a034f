"""Writes the MP4 that plays everywhere: each stream copied where it can be, else decoded and encoded anew.

This module runs in a child process (see `core.media.confined`).
"""

import contextlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from core.media.copying import CopiedTrack, Unfit
from core.media.facts import Limits, Need, NotAVideo, VideoFacts
from core.media.needs import chosen_sound
from core.media.pictures import EncodedPictures
from core.media.probe import Probed, probe
from core.media.reading import open_video, picture_stream, readable_packets
from core.media.sounds import EncodedSound

# The finer clock is for edit lists: with the usual milliseconds every picture would move by some of one.
_LAYOUT = {"movflags": "+faststart", "movie_timescale": "90000"}
_MAX_CHANGE_MS = 250


def convert(source: Path, target: Path, limits: Limits, *, need: str, on_percent: Callable[[int], None]) -> VideoFacts:
    """Write the rendition of `source` to `target` and return its measured facts; NotAVideo when that cannot be."""
    probed = probe(source, limits)
    verdict = probed.verdict
    if need in {Need.REMUX, verdict.need} and (verdict.keep_picture or verdict.keep_sound):
        with contextlib.suppress(Unfit, FFmpegError, NotAVideo):
            _write(source, target, probed, limits, on_percent, keep=True)
            facts = probe(target, limits).facts
            if facts.need == Need.NOTHING and abs(facts.duration_ms - probed.facts.duration_ms) <= _MAX_CHANGE_MS:
                return facts
    _write(source, target, probed, limits, on_percent, keep=False)
    return probe(target, limits).facts


def _write(
    source: Path, target: Path, probed: Probed, limits: Limits, on_percent: Callable[[int], None], *, keep: bool
) -> None:
    percent = 0
    with (
        open_video(source) as read,
        av.open(f"file:{target}", "w", format="mp4", container_options=_LAYOUT) as written,
    ):
        tracks = _tracks(read, written, probed, limits, keep=keep)
        end_s = Fraction(probed.facts.duration_ms, 1000)
        for packet in readable_packets(read, [read.streams[number] for number in tracks]):
            tracks[packet.stream_index].take(packet)
            done = int(99 * (packet.dts or 0) * packet.time_base / end_s)
            if percent < done <= 99:
                percent = done
                on_percent(percent)
        for track in tracks.values():
            track.finish()


def _tracks(read: Any, written: Any, probed: Probed, limits: Limits, *, keep: bool) -> dict[int, Any]:
    """Return what takes the packets of each stream, by the stream's index."""
    picture: Any = picture_stream(read)
    sound, verdict = chosen_sound(read), probed.verdict
    tracks: dict[int, Any] = {}
    if keep and verdict.keep_picture:
        tracks[picture.index] = CopiedTrack(written, picture, rotation_deg=probed.facts.rotation_deg)
    else:
        tracks[picture.index] = EncodedPictures(written, picture, probed, limits)
    if sound is not None:
        copied = keep and verdict.keep_sound
        tracks[sound.index] = CopiedTrack(written, sound) if copied else EncodedSound(written, sound)
    return tracks
