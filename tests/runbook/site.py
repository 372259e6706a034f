"""A copy of the project with a server of its own, in which the runbook's commands run as they are printed.

A copy, so that `db.sqlite3`, `media`, and `practika.log` are the names the runbook types, and nobody's data.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.runbook.document import Block

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "comments", "core", "exercises", "practika_project", "static", "templates")
FILES = ("manage.py", "gunicorn.conf.py")
PRINTED_PORT = "8000"
START_SECONDS = 60
SET = {"METRICS_TOKEN": "a-token-of-this-test"}  # the one variable that a command uses without setting it


@dataclass(frozen=True)
class Site:
    """A folder, and the free port that stands for the printed one."""

    folder: Path
    port: int

    def run(self, block: Block, *arguments: str) -> tuple[int, str]:
        """Return exit code and output, the port given back as printed."""
        done = subprocess.run(
            ["bash", "-c", self.here(block.command), block.id, *arguments],
            cwd=self.folder,
            env=environment() | SET,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
        )
        return done.returncode, self.as_printed(done.stdout)

    @contextlib.contextmanager
    def running(self, block: Block) -> Iterator[None]:
        """Keep the server that `block` starts running, its output in practika.log, and end it as operators do."""
        with self.log.open("w") as log:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {self.here(block.command)}"],
                cwd=self.folder,
                env=environment() | SET,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_for_workers(server)
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    @property
    def log(self) -> Path:
        return self.folder / "practika.log"

    def here(self, text: str) -> str:
        return text.replace(PRINTED_PORT, str(self.port))

    def as_printed(self, text: str) -> str:
        return text.replace(str(self.port), PRINTED_PORT)

    def _wait_for_workers(self, server: subprocess.Popen) -> None:
        deadline = time.monotonic() + START_SECONDS
        reading = self.log.open()
        with reading:
            started = 0
            while started < 2:
                assert server.poll() is None, f"The server ended: {self.log.read_text()}"
                assert time.monotonic() < deadline, f"The server did not start: {self.log.read_text()}"
                started += reading.readline().count('"Application started"')


def copied_site(folder: Path) -> Site:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(ROOT / name, folder)
    (folder / "media").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Site(folder, probe.getsockname()[1])


def environment() -> dict[str, str]:
    """What an operator's shell has: the project's environment first in PATH, and no variable of the site."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
    }
