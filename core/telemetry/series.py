"""Counters and histograms of this process, named and labeled as Prometheus wants them (core/telemetry/catalog.py)."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

from core.telemetry.tally import HERE

#: Every declared series by name, in the order of the catalog.
SERIES: dict[str, "Counter | Histogram"] = {}


class Counter:
    """A number that only grows, for each combination of labels."""

    kind = "counter"

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> None:
        self.name, self.help_text, self.labels = name, help_text, labels
        self.size = 1
        SERIES[name] = self

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Add to the number of these values of the labels; never waits, never raises."""
        tally = HERE.tally
        with tally.lock:
            place = tally.places.get((self.name, *values)) or tally.place((self.name, *values), 1)
            tally.numbers[place] += amount


class Histogram:
    """Observations by size, for each combination of labels: how many were at most each bound, and their sum."""

    kind = "histogram"

    def __init__(self, name: str, help_text: str, bounds: tuple[float, ...], labels: tuple[str, ...] = ()) -> None:
        self.name, self.help_text, self.bounds, self.labels = name, help_text, bounds, labels
        self.size = len(bounds) + 2  # one more for what is above all bounds, one for the sum
        SERIES[name] = self

    def observe(self, value: float, *values: str) -> None:
        """Count one observation; never waits, never raises."""
        tally = HERE.tally
        with tally.lock:
            place = tally.places.get((self.name, *values)) or tally.place((self.name, *values), self.size)
            if place == tally.lost:
                tally.numbers[place] += 1
                return
            tally.numbers[place + bisect_left(self.bounds, value)] += 1
            tally.numbers[place + self.size - 1] += value

    @contextmanager
    def timing(self, outcome: "Outcome", *values: str) -> Iterator[None]:
        """Observe the seconds that the block takes, with `outcome.word` as it is at the end as the last label."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - started, *values, outcome.word)


class Outcome:
    """How something ends, as far as is known."""

    def __init__(self, word: str = "ok") -> None:
        self.word = word
