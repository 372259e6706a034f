"""Measures what counting one request costs, beside the same two series of prometheus_client's multiprocess mode.

    python benchmarks/metrics.py
    python benchmarks/metrics.py --requests 100000 --rounds 9

Both count into memory-mapped files of a folder that other processes could read. A request adds to a counter of three
labels and observes in a histogram of two, as core.middleware does. Medians of interleaved rounds, in ns of this
process's own processor time, so that a busy machine matters less. The last lines tell what one answer of
/core/metrics/ costs with the series of 60 routes from 8 processes.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
FOLDER = tempfile.TemporaryDirectory(prefix="practika-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = FOLDER.name  # read when the library is imported

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

from core.telemetry import tally  # noqa: E402
from core.telemetry.catalog import REQUEST_BOUNDS, REQUEST_SECONDS, REQUESTS  # noqa: E402
from core.telemetry.gathering import families  # noqa: E402

ROUTES = [f"exercises:route_{number}" for number in range(60)]
PROCESSES = 8
THEIR_REQUESTS = Counter("their_requests", "Requests.", ["route", "method", "status"])
THEIR_SECONDS = Histogram("their_seconds", "Seconds.", ["route", "method"], buckets=REQUEST_BOUNDS)


def ours(route: str) -> None:
    """Count a request as the site does."""
    REQUESTS.add(route, "GET", "200")
    REQUEST_SECONDS.observe(0.021, route, "GET")


def theirs(route: str) -> None:
    """Count the same with the library."""
    THEIR_REQUESTS.labels(route, "GET", "200").inc()
    THEIR_SECONDS.labels(route, "GET").observe(0.021)


def nanoseconds(count: Callable[[str], None], requests: int) -> float:
    """Return the processor time of one call."""
    started = time.process_time_ns()
    for number in range(requests):
        count(ROUTES[number % len(ROUTES)])
    return (time.process_time_ns() - started) / requests


def in_children(count: Callable[[str], None]) -> None:
    """Let PROCESSES processes count every route, and end."""
    for _ in range(PROCESSES):
        if not (child := os.fork()):
            nanoseconds(count, len(ROUTES))
            os._exit(0)
        os.waitpid(child, 0)


def answered_ms(answer: Callable[[], bytes]) -> float:
    """Return the processor time of one answer."""
    started = time.process_time_ns()
    answer()
    return (time.process_time_ns() - started) / 1e6


class Ours:
    """The families of the site, as a registry takes them."""

    collect = staticmethod(families)


def text(collector: type | object) -> bytes:
    """Return Prometheus's text."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def main() -> None:
    """Print ns per request of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    tally.count_in(Path(FOLDER.name) / "ours")
    rounds = [[nanoseconds(count, chosen.requests) for count in (ours, theirs)] for _ in range(chosen.rounds)]
    mine, library = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"one request   ours {mine:.0f} ns, prometheus_client {library:.0f} ns, ratio {library / mine:.1f}")
    in_children(ours)
    in_children(theirs)
    whole = [
        [answered_ms(lambda: text(Ours())), answered_ms(lambda: text(MultiProcessCollector(None)))]
        for _ in range(chosen.rounds)
    ]
    mine, library = (statistics.median(column) for column in zip(*whole, strict=True))
    print(f"one answer    ours {mine:.1f} ms, prometheus_client {library:.1f} ms, ratio {library / mine:.1f}")


if __name__ == "__main__":
    main()
