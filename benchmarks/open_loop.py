"""Load at a fixed rate: each request has its moment, whether or not earlier ones were answered.

A client that waits for each answer asks less often of a slow server, and so hides that it is slow. Delays here count
from the moment that was planned.
"""

import itertools
import os
import threading
import time
from dataclasses import dataclass

from visitor import Visitor

CONNECTIONS = 8


@dataclass(frozen=True)
class Load:
    """What came of it: answers per second, the delays' 95th percentile, how long it took, on how many processors."""

    rate: float
    p95_ms: float
    seconds: float
    processors: int


def run_at_rate(visitor: Visitor, paths: list[str], *, rate: float, seconds: float) -> Load:
    """Ask for the paths in turn, on eight connections of the visitor's session; Refused when one is not a 200."""
    numbers, delays, failures = itertools.count(), [], []
    lock, started, total = threading.Lock(), time.perf_counter() + 0.1, int(rate * seconds)

    def ask(one: Visitor) -> None:
        try:
            while not failures:
                with lock:
                    number = next(numbers)
                if number >= total:
                    return
                planned = started + number / rate
                time.sleep(max(0.0, planned - time.perf_counter()))
                one.get(paths[number % len(paths)])
                delays.append((time.perf_counter() - planned) * 1000)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(visitor.twin(),)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    took = time.perf_counter() - started
    return Load(len(delays) / took, sorted(delays)[int(len(delays) * 0.95)], took, os.cpu_count() or 1)
