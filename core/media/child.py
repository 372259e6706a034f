"""The child process that touches a video: `python -m core.media.child VIDEO POSTER LIMITS` (limits as JSON).

Writes one JSON object to standard output: `{"facts": {...}}` or `{"refused": code}`; exit status 3 without an
answer says that the fault is not the file's. Only `core.media.inspection` starts it, and it trusts nothing
this process says.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.media.facts import Limits, NotAVideo

UNAVAILABLE = 3

_MAX_FILE_BYTES = 16 * 1024 * 1024  # a poster is some 40 KB
_MAX_OPEN_FILES = 64
_NICENESS = 10


def main(arguments: list[str]) -> int:
    """Inspect the video and return the exit status."""
    path, poster, limits = Path(arguments[0]), Path(arguments[1]), Limits(**json.loads(arguments[2]))
    confine(limits)
    try:
        answer = _inspected(path, poster, limits)
    except NotAVideo as error:
        answer = {"refused": error.code}
    except MemoryError:
        answer = {"refused": "too_complex"}
    except (OSError, ImportError):
        return UNAVAILABLE
    sys.stdout.write(json.dumps(answer))
    return 0


def confine(limits: Limits) -> None:
    """Take from this process what it does not need; a limit the platform lacks (macOS: memory) is skipped."""
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_AS", limits.memory_bytes)
    _limit("RLIMIT_CPU", limits.cpu_seconds, spare=1)  # so that SIGXCPU comes before SIGKILL
    _limit("RLIMIT_FSIZE", _MAX_FILE_BYTES)
    _limit("RLIMIT_NOFILE", _MAX_OPEN_FILES)
    # The parent keeps the clock; this one is for the case that the parent is killed.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)
    os.nice(_NICENESS)


def _limit(name: str, value: int, spare: int = 0) -> None:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        kind = getattr(resource, name)
        allowed = resource.getrlimit(kind)[1]
        highest = value + spare if allowed == resource.RLIM_INFINITY else min(value + spare, allowed)
        resource.setrlimit(kind, (min(value, highest), highest))


def _inspected(path: Path, poster: Path, limits: Limits) -> dict[str, Any]:
    # Imported only now: loading the codec libraries happens inside the limits as well.
    from av.error import FFmpegError

    from core.media.facts import refusal
    from core.media.poster import poster_jpeg
    from core.media.probe import probe

    try:
        probed = probe(path, limits)
        picture = poster_jpeg(path, probed)
    except MemoryError:
        raise
    except FFmpegError:
        raise refusal("no_decodable_frame", limits) from None
    poster.write_bytes(picture)
    return {"facts": asdict(probed.facts)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
