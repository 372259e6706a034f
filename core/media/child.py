"""The child process that touches a video: `python -m core.media.child TASK VIDEO RESULT OPTIONS` (options as JSON).

Tasks: `inspect` (facts, and a poster as the result), `rendition`, `thumbnails`. Writes the percentage done, a line
each, and at last one JSON object to standard output: `{"facts": {...}}`, `{"thumbnails": {...}}` or
`{"refused": code}`; exit status 3 without an answer says that the fault is not the file's. Only `core.media.confined`
starts it, and it trusts nothing this process says.
"""

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.media.facts import Limits, NotAVideo

UNAVAILABLE = 3

_MAX_OPEN_FILES = 64
_NICENESS = 10
_PR_SET_PDEATHSIG = 1  # prctl(2)
#: Errors of the machine. EFBIG is none of them: the result would be larger than the task allows.
_MACHINE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE}


def main(arguments: list[str]) -> int:
    """Do the task and return the exit status."""
    task, source, result, options = arguments[0], Path(arguments[1]), Path(arguments[2]), json.loads(arguments[3])
    limits = Limits(**options.pop("limits"))
    confine(limits)
    if os.getppid() != options.pop("parent"):  # killed before this process asked to die with it
        return UNAVAILABLE
    try:
        answer = _done(task, source, result, limits, options)
    except NotAVideo as error:
        answer = {"refused": error.code}
    except MemoryError:
        answer = {"refused": "too_complex"}
    except (OSError, ImportError) as error:
        if getattr(error, "errno", None) != errno.EFBIG:
            return UNAVAILABLE
        answer = {"refused": "too_complex"}
    sys.stdout.write(json.dumps(answer))
    return 0


def confine(limits: Limits) -> None:
    """Take from this process what it does not need; a limit the platform lacks (macOS: memory) is skipped."""
    _die_with_parent()
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_AS", limits.memory_bytes)
    _limit("RLIMIT_CPU", limits.cpu_seconds, spare=1)  # so that SIGXCPU comes before SIGKILL
    _limit("RLIMIT_FSIZE", limits.file_bytes)
    _limit("RLIMIT_NOFILE", _MAX_OPEN_FILES)
    # The parent keeps the clock; this one is for the case that the parent is killed where it cannot tell us.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)
    os.nice(_NICENESS)


def _die_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it, where it can (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit(name: str, value: int, spare: int = 0) -> None:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        kind = getattr(resource, name)
        allowed = resource.getrlimit(kind)[1]
        highest = value + spare if allowed == resource.RLIM_INFINITY else min(value + spare, allowed)
        resource.setrlimit(kind, (min(value, highest), highest))


def _done(task: str, source: Path, result: Path, limits: Limits, options: dict[str, Any]) -> dict[str, Any]:
    # Imported only now: loading the codec libraries happens inside the limits as well.
    from av.error import FFmpegError

    from core.media.facts import refusal

    tasks: dict[str, Callable[..., dict[str, Any]]]
    tasks = {"inspect": _inspect, "rendition": _make_rendition, "thumbnails": _make_thumbnails}
    try:
        return tasks[task](source, result, limits, **options)
    except MemoryError:
        raise
    except FFmpegError as error:
        if error.errno in _MACHINE_ERRORS:
            raise OSError(error.errno, "the machine failed") from None
        raise refusal("too_complex" if error.errno == errno.EFBIG else "no_decodable_frame", limits) from None


def _inspect(source: Path, result: Path, limits: Limits) -> dict[str, Any]:
    from core.media.poster import poster_jpeg
    from core.media.probe import probe

    probed = probe(source, limits)
    picture = poster_jpeg(source, probed)
    result.write_bytes(picture)
    return {"facts": asdict(probed.facts)}


def _make_rendition(source: Path, result: Path, limits: Limits, *, need: str) -> dict[str, Any]:
    from core.media.conversion import convert

    return {"facts": asdict(convert(source, result, limits, need=need, on_percent=_tell))}


def _make_thumbnails(source: Path, result: Path, limits: Limits, *, interval_ms: int, count: int) -> dict[str, Any]:
    from core.media.sprite import sprite_jpeg

    picture, layout = sprite_jpeg(source, limits, interval_ms=interval_ms, count=count)
    result.write_bytes(picture)
    return {"thumbnails": layout}


def _tell(percent: int) -> None:
    sys.stdout.write(f"{percent}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
