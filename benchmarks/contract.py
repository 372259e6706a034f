"""Measures the nine performance targets of the runbook, on the site in production's settings under gunicorn.

    python benchmarks/contract.py
    python benchmarks/contract.py --exercises 200 --samples 200 --seconds 20

The database is SQLite, the visitor an instructor who logged in through the form; `--exercises` are in the class.
Times are seen by the client, on the loopback, and judged by their 95th percentile. Processor time is judged while
100 requests/s (list, detail, a static file, health in turn) come at fixed moments, as a share of all processors. The
application is the site's own files and the packages of requirements-v1.txt. Uploads are limited by the
network when the site takes more than the 100 MB/s that the runbook grants them; beside it stands what a bare
program receives and syncs. Ends with 1 when a target is missed. Linux only (/proc).
"""

import argparse
import math
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bare_copy import bare_megabytes_per_second
from footprint import application_bytes
from open_loop import run_at_rate
from practika import EMAIL, PASSWORD, SITE, prepare
from servers import Server, children, gunicorn, resident_peak_mib
from videos import real_video
from visitor import Visitor

MEGABYTE = 10**6
UPLOAD_BYTES, LARGE_UPLOAD_BYTES = 10 * MEGABYTE, 256 * MEGABYTE
UPLOADS, LARGE_UPLOADS = 10, 3
RATE = 100  # requests/s: the runbook's "normal load" (contract.md)
NETWORK_MEGABYTES_PER_SECOND = 100
MEMORY_SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    target: str
    limit: str
    measured: str
    met: bool

    def line(self) -> str:
        """Return the line, in columns."""
        return f"{self.target:<30} {self.limit:>10}   {self.measured:<62} {'met' if self.met else 'MISSED'}"


class PeakMemory:
    """Watches every process of a server, the short-lived ones too, while the block runs."""

    def __init__(self, server: Server):
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(MEMORY_SAMPLE_SECONDS):
            workers = children(self._server.pid)
            inspectors = [child for worker in workers for child in children(worker)]
            self.mib = max(self.mib, *map(resident_peak_mib, [self._server.pid, *workers, *inspectors]))


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exercises", type=int, default=200)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the load of 100 requests/s lasts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        findings = measure(Path(name), options.exercises, options.samples, options.seconds)
    for finding in findings:
        print(finding.line())
    return 0 if all(finding.met for finding in findings) else 1


def measure(folder: Path, exercises: int, samples: int, seconds: float) -> list[Finding]:
    """Return the nine findings, in the runbook's order."""
    site = prepare(folder, exercises=exercises)
    pages = {
        "Health check": ("/core/health/", 100),
        "Static files": ("/static/css/base.css", 50),
        "Exercise list": ("/exercises/", 500),
        "Exercise detail": (f"/exercises/{site.exercise}/", 1000),
    }
    small = real_video(folder / "small.mp4", UPLOAD_BYTES)
    large = real_video(folder / "large.mp4", LARGE_UPLOAD_BYTES)
    with gunicorn(SITE, environment=site.environment) as server, PeakMemory(server) as memory:
        visitor = Visitor(server.port)
        visitor.log_in(EMAIL, PASSWORD)
        found = [
            times(name, limit_ms, samples, lambda path=path: visitor.get(path))
            for name, (path, limit_ms) in pages.items()
        ]
        found.append(times("Video upload of 10 MB", 5000, UPLOADS, lambda: visitor.upload(small) * 1000))
        cpu = processors(server, visitor, [path for path, _ in pages.values()], seconds)
        network = uploads_and_network(visitor, large, folder)
    return [*found, memory_finding(memory.mib), cpu, application_size(), network]


def times(target: str, limit_ms: int, samples: int, once: Callable[[], float]) -> Finding:
    """Call `once`, which returns milliseconds, `samples` times after a first call that does not count."""
    once()
    taken = sorted(once() for _ in range(samples))
    p50, p95 = statistics.median(taken), taken[math.ceil(samples * 0.95) - 1]  # the nearest rank
    measured = f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {taken[-1]:.1f} ms of {samples}"
    return Finding(target, f"< {limit_ms} ms", measured, p95 < limit_ms)


def processors(server: Server, visitor: Visitor, paths: list[str], seconds: float) -> Finding:
    """Ask for the paths in turn at a fixed rate; return the share of all processors that the server used."""
    before = server.cpu_seconds()
    load = run_at_rate(visitor, paths, rate=RATE, seconds=seconds)
    share = (server.cpu_seconds() - before) / load.seconds / load.processors
    measured = f"{share:.0%} of {load.processors} processors at {load.rate:.0f}/s, p95 {load.p95_ms:.1f} ms"
    return Finding(f"CPU at {RATE} requests/s", "< 80 %", measured, share < 0.8 and load.rate > 0.95 * RATE)


def uploads_and_network(visitor: Visitor, video: Path, folder: Path) -> Finding:
    """Upload a large video; return how fast the site took it, beside a bare program."""
    sizes_per_second = [video.stat().st_size / visitor.upload(video) for _ in range(LARGE_UPLOADS)]
    ours = statistics.median(sizes_per_second) / MEGABYTE
    bare = statistics.median(bare_megabytes_per_second(video, folder / "bare") for _ in range(LARGE_UPLOADS))
    measured = f"{ours:.0f} MB/s of a {LARGE_UPLOAD_BYTES // MEGABYTE} MB video; a bare program {bare:.0f} MB/s"
    limit = f"> {NETWORK_MEGABYTES_PER_SECOND} MB/s"
    return Finding("Uploads wait for the network", limit, measured, ours > NETWORK_MEGABYTES_PER_SECOND)


def memory_finding(peak_mib: float) -> Finding:
    """Judge the highest resident memory that any process had."""
    return Finding("Memory of a process", "< 512 MB", f"highest {peak_mib:.0f} MiB", peak_mib * 1.048576 < 512)


def application_size() -> Finding:
    """Judge what the application takes on disk."""
    ours, packages = application_bytes()
    measured = f"{(ours + packages) / MEGABYTE:.0f} MB: packages {packages / MEGABYTE:.0f}, own {ours / MEGABYTE:.1f}"
    return Finding("Application on disk", "< 1 GB", measured, ours + packages < 1000 * MEGABYTE)


if __name__ == "__main__":
    sys.exit(main())
