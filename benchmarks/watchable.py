"""How long after the last of its parts a video can be watched: the real site, and a worker beside it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from parts_visitor import PartsVisitor
from practika import SITE
from servers import ROOT, gunicorn, resident_peak_mib
from upload import member, site_with_a_class

ASK_AGAIN_S, MOST_S = 0.01, 60


def watch_new_videos(folder: Path, video: Path, rounds: int) -> tuple[list[float], float]:
    """Send the video `rounds` times; return the seconds from each completion call until it plays, and the worker's MiB.

    The MiB are the highest resident memory of the worker itself, without its children.
    """
    environment = site_with_a_class(folder)
    with gunicorn(SITE, environment=environment) as server, worker(environment) as process:
        visitor, classroom = member(server)
        seconds = [_until_it_plays(visitor, classroom, video) for _ in range(rounds)]
        return seconds, resident_peak_mib(process.pid)


@contextlib.contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a worker; the block begins when it is ready for tasks."""
    command = [sys.executable, "manage.py", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        next(line for line in process.stdout if "Worker ready" in line)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _until_it_plays(visitor: PartsVisitor, classroom: str, video: Path) -> float:
    upload = visitor.send_but_the_end(video, classroom)
    begin = time.perf_counter()
    address = f"/core/videos/{visitor.complete(upload, video)['video']['id']}"
    _wait_for(visitor, f"{address}/stream/")
    seconds = time.perf_counter() - begin
    _wait_for(visitor, f"{address}/thumbnails.jpg")  # or the worker would be busy when the next round begins
    return seconds


def _wait_for(visitor: PartsVisitor, path: str) -> None:
    deadline = time.monotonic() + MOST_S
    while not visitor.can_have(path):
        if time.monotonic() > deadline:
            raise SystemExit(f"{path} is not there after {MOST_S} s: see the worker's log.")
        time.sleep(ASK_AGAIN_S)
