"""What every benchmark here stands on: a gunicorn on a free port, and what its processes used, from /proc (Linux)."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024**2
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running gunicorn: `port` of the loopback and `pid` of the master."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the processor time of the workers and of their children that ended."""
        return sum(self._ticks("utime", "stime", "cutime", "cstime")) / os.sysconf("SC_CLK_TCK")

    def kernel_seconds(self) -> float:
        """Return which part of that the kernel took."""
        return sum(self._ticks("stime", "cstime")) / os.sysconf("SC_CLK_TCK")

    def _ticks(self, *names: str) -> Iterator[int]:
        for pid in children(self.pid):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            times = dict(zip(("utime", "stime", "cutime", "cstime"), map(int, fields[11:15]), strict=True))
            yield from (times[name] for name in names)

    def written_bytes(self) -> int:
        """Return how many bytes the workers passed to write(2): files, but no answers to browsers."""
        return sum(_number(f"/proc/{pid}/io", "wchar:") for pid in children(self.pid))

    def peak_mib(self) -> float:
        """Return the highest resident memory that any worker ever had, in MiB."""
        return max(self.peaks_mib())

    def peaks_mib(self) -> list[float]:
        """Return the highest resident memory that each worker ever had, in MiB."""
        return [resident_peak_mib(pid) for pid in children(self.pid)]


# One visitor asks like hundreds here.
UNLIMITED = {f"PRACTIKA_LIMIT_{name}": "900000/1s,900000/1s" for name in ("LOG_IN", "UPLOADS", "COMMENTS", "API")}


@contextlib.contextmanager
def gunicorn(application: str, *options: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run the application with the project's gunicorn.conf.py, unless `options` say otherwise, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *options]
    variables = os.environ | {"PYTHONPATH": str(ROOT / "benchmarks")} | UNLIMITED | (environment or {})
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
    try:
        _wait_until_answered(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def free_port() -> int:
    """Return a port of the loopback that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manage(environment: dict[str, str], *command: str) -> str:
    """Run a command of manage.py in that environment and return what it printed; only warnings are logged beside it."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | environment | {"DJANGO_LOG_LEVEL": "WARNING"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still run."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]
    return []


def resident_peak_mib(pid: int) -> float:
    """Return the highest resident memory that the process had so far, in MiB; 0 when it has ended."""
    return _number(f"/proc/{pid}/status", "VmHWM:") / 1024


def _number(path: str, label: str) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(label):
                return int(line.split()[1])
    return 0


def _wait_until_answered(port: int, process: subprocess.Popen) -> None:
    """Return when a request gets any answer; RuntimeError when the server ended or a minute went by."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as client,
        ):
            client.sendall(b"GET /core/health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if client.recv(1):
                return
        time.sleep(0.05)
    raise RuntimeError("gunicorn did not start; its messages are above.")
