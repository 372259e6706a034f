"""Runs a task on a video in a child process with limits: nothing else may look into a file.

# Note [Hostile files]
Codecs are a million lines of C, and any member may send any bytes. So a file is opened only in a process of its own:
little memory, little time, no core dump, no large output, a minimal environment, a scratch folder of its own, killed
as a group when its time is over. What it answers is checked field by field, and the sentences for people are made
here, never there. However it ends, the caller gets an answer, a refusal, or word that the fault is not the file's.

# Note [Scratch folders]
The child writes into a folder that this process makes beside the wanted file and removes again, so the file appears
whole (by a rename within one file system) or not at all. Only killing this process leaves the folder behind; its name
is the wanted file's with a suffix beginning with `.scratch-`, for whoever sweeps.
"""

import contextlib
import json
import logging
import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from core.media.child import UNAVAILABLE
from core.media.facts import REFUSAL_CODES, InspectionKilled, InspectionUnavailable, Limits, refusal

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]
Answer = TypeVar("Answer")

_BASE_DIR = Path(__file__).resolve().parents[2]
_MAX_ANSWER_BYTES = 16 * 1024
_TICK_S = 0.5
_ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
#: Variables by which some installations find Python's own libraries.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: Signals with which the system ends a process that went over a limit. SIGKILL is none of them: SIGXCPU comes first.
_LIMIT_SIGNALS = {-signal.SIGXCPU, -signal.SIGALRM}


def quiet(percent: int) -> None:
    """Take no notice of the progress."""


def run_confined(
    task: str,
    source: Path,
    result: Path,
    *,
    check: Callable[[dict[str, Any]], Answer],
    limits: Limits,
    on_progress: Progress = quiet,
    **options: Any,
) -> Answer:
    """Run one task of `core.media.child` on `source`; return what it says, with the file it made at `result`.

    `check` turns the child's JSON into the answer and raises ValueError or TypeError where that makes no sense.
    Raises NotAVideo when the file is refused and InspectionUnavailable when the fault is not the file's (or, as
    InspectionKilled, need not be); then there is no new file at `result`, nor anywhere else. `on_progress` is called
    about twice a second with 0 to 99; what it raises ends the child and passes through. Safe to call from any thread
    that outlives the call.
    """
    source.stat()  # a file that is not there is the caller's mistake, not a refusal
    with _scratch(result) as scratch:
        made = scratch / result.name
        settings = json.dumps({"limits": asdict(limits), "parent": os.getpid(), **options})
        arguments = [task, str(source.absolute()), str(made), settings]
        lines, status = _run(arguments, scratch, limits, on_progress)
        answer = _understood(lines, status, check, limits)
        _deliver(made, result, limits)
    return answer


@contextlib.contextmanager
def _scratch(result: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{result.name}.scratch-", dir=result.parent.absolute()))
    except OSError as error:
        raise InspectionUnavailable("There is no room to work in: check free disk space and folders.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _deliver(made: Path, result: Path, limits: Limits) -> None:
    try:
        if not stat.S_ISREG(made.lstat().st_mode):
            raise refusal("no_decodable_frame", limits)  # a link to someone else's file, say
    except FileNotFoundError:
        raise refusal("no_decodable_frame", limits) from None
    made.replace(result)


def _run(arguments: list[str], scratch: Path, limits: Limits, on_progress: Progress) -> tuple[list[bytes], int | None]:
    """Return the lines the child wrote and its exit status, None when its time was over."""
    # start_new_session rather than preexec_fn: the latter may hang in a process that has threads.
    child = subprocess.Popen(
        [sys.executable, "-m", "core.media.child", *arguments],
        cwd=scratch,
        env=_environment(scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with child:
        try:
            deadline = time.monotonic() + limits.wall_seconds
            answer = _read(child.stdout, deadline, on_progress)
            if len(answer) > _MAX_ANSWER_BYTES:
                return [], 1  # it would go on for ever
            return answer.splitlines(), child.wait(timeout=max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            return [], None
        finally:
            _end(child)


def _environment(scratch: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    modules = os.pathsep.join(filter(None, [str(_BASE_DIR), os.environ.get("PYTHONPATH")]))
    return _ENVIRONMENT | inherited | {"PYTHONPATH": modules, "TMPDIR": str(scratch), "HOME": str(scratch)}


def _read(pipe: Any, deadline: float, on_progress: Progress) -> bytes:
    """Return what comes out of `pipe`, cut off where it is too long; raise TimeoutError at the deadline."""
    answer, percent, next_call = b"", 0, time.monotonic() + _TICK_S
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(answer) <= _MAX_ANSWER_BYTES:
            now = time.monotonic()
            if now >= deadline:
                raise TimeoutError
            if now >= next_call:
                on_progress(percent)
                next_call = now + _TICK_S
            if selector.select(min(next_call, deadline) - now):
                piece = os.read(pipe.fileno(), _MAX_ANSWER_BYTES)
                if not piece:
                    return answer
                answer += piece
                percent = _percent(answer, percent)
    return answer


def _percent(answer: bytes, before: int) -> int:
    """Return the percentage in the last whole line, if that is one."""
    line = answer.rpartition(b"\n")[0].rpartition(b"\n")[2]
    return max(before, min(99, int(line))) if line.isdigit() and len(line) < 4 else before


def _end(child: subprocess.Popen[bytes]) -> None:
    # While poll() says None the child was not reaped, so its number cannot belong to anyone else.
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _understood(
    lines: list[bytes], status: int | None, check: Callable[[dict[str, Any]], Answer], limits: Limits
) -> Answer:
    if status == UNAVAILABLE:
        raise InspectionUnavailable("The video could not be examined: check free disk space and the installation.")
    if status == -signal.SIGKILL:
        raise InspectionKilled("The process that examined the video was killed: check free memory.")
    if status is None or status in _LIMIT_SIGNALS:
        raise refusal("too_complex", limits)
    try:
        said = json.loads(lines[-1]) if status == 0 else {}
        if said.get("refused") in REFUSAL_CODES:
            raise refusal(said["refused"], limits)
        return check(said)
    except (ValueError, AttributeError, TypeError, IndexError, RecursionError):
        logger.warning("Video task broke off", extra={"exit_status": status})
        raise refusal("no_decodable_frame", limits) from None
