"""Makes the video that plays everywhere: an MP4 of H.264 and AAC with nothing in it but pictures and sound."""

from dataclasses import replace
from pathlib import Path

from core.media.confined import Progress, quiet, run_confined
from core.media.facts import Limits, Need, VideoFacts
from core.media.inspection import facts_said

_MIN_CPU_SECONDS, _CPU_PER_SECOND = 360, 12  # of all threads together
_MIN_WALL_SECONDS, _WALL_PER_SECOND = 720.0, 8
_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
_SPARE_BYTES = 64 * 1024 * 1024
_MOST_BYTES_PER_MS = 2_500  # of what we encode: 20 Mbit/s, twice the rate the encoder keeps to
_USUAL_LIMITS = Limits()


def rendition_limits(*, duration_ms: int, size_bytes: int, limits: Limits = _USUAL_LIMITS) -> Limits:
    """Return `limits` with the time, memory and room that a rendition of such a video may take.

    Processor time is what a file may ask for. The wall clock only ends what hangs, and is generous: the child is nice
    to others, and twelve seconds of HDR took more than two minutes where eight shared two processors (measured).
    """
    return replace(
        limits,
        memory_bytes=_MEMORY_BYTES,
        wall_seconds=max(_MIN_WALL_SECONDS, _WALL_PER_SECOND * duration_ms / 1000),
        cpu_seconds=max(_MIN_CPU_SECONDS, round(_CPU_PER_SECOND * duration_ms / 1000)),
        file_bytes=size_bytes + _MOST_BYTES_PER_MS * duration_ms + _SPARE_BYTES,
    )


def make_rendition(
    source: Path, target: Path, *, need: str, limits: Limits | None = None, on_progress: Progress = quiet
) -> VideoFacts:
    """Leave an MP4 of `source` that plays everywhere at `target` and return its measured facts.

    `need` is the video's own: with "remux" packets are copied, and where that proves impossible the video is
    transcoded; with "transcode" what must be encoded is. A greater need than its own encodes all, "nothing" copies.
    Without `limits` it may take what the longest video that is allowed may take: see `rendition_limits`.
    Raises NotAVideo or InspectionUnavailable; then there is no file at `target`, nor any other. `on_progress` is
    called with 0 to 99 about twice a second; what it raises ends the work and passes through.
    """
    if limits is None:
        limits = rendition_limits(duration_ms=_USUAL_LIMITS.max_duration_ms, size_bytes=source.stat().st_size)
    return run_confined(
        "rendition",
        source,
        target,
        check=facts_said,
        limits=limits,
        on_progress=on_progress,
        need=Need(need).value,
    )
