"""Inspects a video: its measured facts, and a poster of it."""

from pathlib import Path
from typing import Any

from core.media.confined import run_confined
from core.media.facts import Limits, VideoFacts

_USUAL_LIMITS = Limits()


def inspect_video(path: Path, *, poster: Path, limits: Limits = _USUAL_LIMITS) -> VideoFacts:
    """Return the measured facts of the video at `path` and leave an upright JPEG of it at `poster`.

    Raises NotAVideo when the file is refused and InspectionUnavailable when it could not be examined; then
    there is no file at `poster`. Safe to call from any thread.
    """
    return run_confined("inspect", path, poster, check=facts_said, limits=limits)


def facts_said(said: dict[str, Any]) -> VideoFacts:
    """Return the facts in a child's answer; raise ValueError or TypeError when they make no sense."""
    return VideoFacts.from_json(said.get("facts"))
