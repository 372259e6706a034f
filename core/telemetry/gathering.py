"""Adding up what all processes of the site have counted, those that have ended, too.

# Note [The dead keep counting]
A counter that forgets what an ended process had counted falls, and Prometheus takes any fall for a restart from zero:
rates would jump at every deployment. So the figures of the dead are added to ENDED before their files go. ENDED
appears in one step (rename) and names the files whose numbers it has, so that a file which is still there a moment
later, or after a kill, is not counted twice. Readers take no lock: they read ENDED, then the files it does not name,
and begin again when ENDED has become another one meanwhile.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from core.telemetry import catalog  # noqa: F401 (declares the series)
from core.telemetry.series import SERIES, Counter, Histogram
from core.telemetry.tally import HERE, SUFFIX, Key, count_in, records

logger = logging.getLogger(__name__)

ENDED = "ended.json"
TRIES = 10

Totals = dict[Key, list[float]]


def begin_counting(folder: Path) -> None:
    """Count where the site's other processes do; without that folder the site runs, but is only counted here."""
    try:
        count_in(folder)
        settle_ended(folder)
    except OSError:
        logger.warning("Metrics of this process are not shared", exc_info=True)


def families() -> Iterator[Metric]:
    """Yield every declared series with the numbers of all processes that count where this one does."""
    found = totals(HERE.folder)
    for series in SERIES.values():
        mine = {key[1:]: numbers for key, numbers in found.items() if key[0] == series.name}
        known = {labels: mine[labels] for labels in sorted(mine) if len(labels) == len(series.labels)}
        if not series.labels:
            known = known or {(): [0.0] * series.size}
        yield _counter(series, known) if isinstance(series, Counter) else _histogram(series, known)


def totals(folder: Path | None) -> Totals:
    """Return the sums by key; without a folder (a command, a test) those of this process alone."""
    if folder is None:
        return dict(records(bytes(HERE.tally.numbers)))
    for _ in range(TRIES):
        before, sums = _ended(folder)
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.name not in before:
                _add(sums, records(_content(path)))
        if _ended(folder)[0] == before:
            return sums
    return sums


def settle_ended(folder: Path) -> int:
    """Add the files of dead processes to ENDED and remove them; return how many. Called by whoever starts; OSError."""
    with _alone(folder) as alone:
        if not alone:
            return 0
        merged, sums = _ended(folder)
        files = sorted(folder.glob(f"*{SUFFIX}"))
        dead = [path for path in files if path.name not in merged and _is_dead(path)]
        for path in dead:
            _add(sums, records(_content(path)))
        gone = [path for path in files if path in dead or path.name in merged]
        if gone:
            half = folder / f"{ENDED}.new"
            said = {"merged": [path.name for path in gone], "totals": [[*map(list, item)] for item in sums.items()]}
            half.write_text(json.dumps(said))
            half.rename(folder / ENDED)
        for path in gone:
            path.unlink(missing_ok=True)
        return len(dead)


def _ended(folder: Path) -> tuple[set[str], Totals]:
    try:
        said = json.loads((folder / ENDED).read_bytes())
        return set(said["merged"]), {tuple(key): numbers for key, numbers in said["totals"]}
    except FileNotFoundError:
        return set(), {}
    except (ValueError, KeyError, TypeError):  # torn by a power cut: counters begin at zero, as after a restart
        return set(), {}


def _add(sums: Totals, more: Iterator[tuple[Key, list[float]]]) -> None:
    """Add numbers by key; a key that another release counted in other buckets begins anew."""
    for key, numbers in more:
        had = sums.get(key, [])
        sums[key] = [a + b for a, b in zip(had, numbers, strict=True)] if len(had) == len(numbers) else numbers


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _is_dead(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return _locked(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Tell whether nobody else settles at this moment; who comes second leaves it to the first."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _counter(series: Counter, known: dict[Key, list[float]]) -> Metric:
    family = CounterMetricFamily(series.name.removesuffix("_total"), series.help_text, labels=series.labels)
    for labels, numbers in known.items():
        family.add_metric(labels, numbers[0])
    return family


def _histogram(series: Histogram, known: dict[Key, list[float]]) -> Metric:
    family = HistogramMetricFamily(series.name, series.help_text, labels=series.labels)
    bounds = [*map(floatToGoString, series.bounds), "+Inf"]
    for labels, numbers in known.items():
        if len(numbers) != series.size:
            continue
        below = [sum(numbers[: index + 1]) for index in range(len(bounds))]
        family.add_metric(labels, list(zip(bounds, below, strict=True)), sum_value=numbers[-1])
    return family
