"""Inspects a video in a child process with limits: nothing else may look into a file.

# Note [Hostile files]
Codecs are a million lines of C, and any member may send any bytes. So a file is opened only in a process of
its own: little memory, little time, no core dump, no large output, a minimal environment, killed as a group
when its time is over. What it answers is checked field by field, and the sentences for people are made here,
never there. However it ends, the caller gets facts, a refusal, or word that the fault is not the file's.
"""

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.media.child import UNAVAILABLE
from core.media.facts import REFUSAL_CODES, InspectionUnavailable, Limits, VideoFacts, refusal

logger = logging.getLogger(__name__)

_BASE_DIR = Path(__file__).resolve().parents[2]
_MAX_ANSWER_BYTES = 16 * 1024
_ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
#: Variables by which some installations find Python's own libraries.
_INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: Signals with which the system ends a process that went over a limit.
_LIMIT_SIGNALS = {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM}
_USUAL_LIMITS = Limits()


def inspect_video(path: Path, *, poster: Path, limits: Limits = _USUAL_LIMITS) -> VideoFacts:
    """Return the measured facts of the video at `path` and leave an upright JPEG of it at `poster`.

    Raises NotAVideo when the file is refused and InspectionUnavailable when it could not be examined; then
    there is no file at `poster`. Safe to call from any thread.
    """
    path.stat()  # a file that is not there is the caller's mistake, not a refusal
    try:
        answer, status = _run(path, poster, limits)
        facts = _facts(answer, status, limits)
        if not poster.is_file():
            raise refusal("no_decodable_frame", limits)
    except BaseException:
        poster.unlink(missing_ok=True)
        raise
    return facts


def _run(path: Path, poster: Path, limits: Limits) -> tuple[bytes, int | None]:
    """Return what the child wrote and its exit status, None when its time was over."""
    # start_new_session rather than preexec_fn: the latter may hang in a process that has threads.
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "core.media.child",
            path.absolute(),
            poster.absolute(),
            json.dumps(asdict(limits)),
        ],
        cwd=_BASE_DIR,
        env=_ENVIRONMENT | {name: os.environ[name] for name in _INHERITED if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with child:
        try:
            deadline = time.monotonic() + limits.wall_seconds
            answer = _read(child.stdout, deadline)
            if len(answer) > _MAX_ANSWER_BYTES:
                return b"", 1  # it would go on for ever
            return answer, child.wait(timeout=max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            return b"", None
        finally:
            _end(child)


def _read(pipe: Any, deadline: float) -> bytes:
    """Return what comes out of `pipe`, cut off where it is too long; raise TimeoutError at the deadline."""
    answer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(answer) <= _MAX_ANSWER_BYTES:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(pipe.fileno(), _MAX_ANSWER_BYTES)
            if not piece:
                return answer
            answer += piece
    return answer


def _end(child: subprocess.Popen[bytes]) -> None:
    # While poll() says None the child was not reaped, so its number cannot belong to anyone else.
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _facts(answer: bytes, status: int | None, limits: Limits) -> VideoFacts:
    if status == UNAVAILABLE:
        raise InspectionUnavailable("The video could not be examined: check free disk space and the installation.")
    if status is None or status in _LIMIT_SIGNALS:
        raise refusal("too_complex", limits)
    try:
        said = json.loads(answer) if status == 0 else {}
        if said.get("refused") in REFUSAL_CODES:
            raise refusal(said["refused"], limits)
        return VideoFacts.from_json(said.get("facts"))
    except (ValueError, AttributeError, TypeError):
        logger.warning("Video inspection broke off", extra={"exit_status": status})
        raise refusal("no_decodable_frame", limits) from None
