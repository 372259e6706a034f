"""A Redis server of the tests' own, on a socket in its folder, that keeps nothing on disk."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.servers.waiting import until

START_S = 30
NOTHING_ON_DISK = ["--save", "", "--appendonly", "no"]


@dataclass
class Redis:
    """A server's folder; `process` while it runs."""

    folder: Path
    process: subprocess.Popen | None = None

    def url(self, number: int = 0) -> str:
        """Return the address of database `number`, of 16."""
        return f"unix://{self.folder}/redis?db={number}"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url(), socket_timeout=10)

    def start(self) -> None:
        """Start it, and come back when it answers."""
        command = ["redis-server", "--port", "0", "--unixsocket", self.folder / "redis", *NOTHING_ON_DISK]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        until(self._answers, START_S, otherwise=(self.folder / "log").read_text)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.client().ping())
        return False

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def redis_server() -> Iterator[Redis]:
    """Run a server; raises LookupError when the machine has no program for it."""
    if not redis_program():
        raise LookupError("redis-server")
    with tempfile.TemporaryDirectory(prefix="redis", dir="/tmp") as name:
        server = Redis(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def redis_program() -> str | None:
    """Return where the program is, or None."""
    return shutil.which("redis-server")
