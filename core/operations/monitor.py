"""The monitor: asks every probe, tells people what went down and what came back, round after round."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from core.operations.alerts import Alert, NotDelivered, ways
from core.operations.findings import Finding, find_all
from core.operations.monitor_config import MonitorConfig, Probe
from core.operations.monitor_state import Remembered, kept_state
from core.operations.probes import ask


@dataclass(frozen=True)
class Round:
    """What one round found (a finding for each probe), told (way and text), and could not tell (way and reason)."""

    findings: list[Finding]
    told: list[tuple[str, str]]
    undelivered: list[tuple[str, str]]


def run_round(config: MonitorConfig, *, now: datetime) -> Round:
    """Ask all probes side by side, tell what is news, and remember it; raises monitor_state.StateUnusable."""
    with kept_state(config.state_file) as state:
        longest_s = max(probe.timeout_s for probe in config.probes) + 1
        findings = find_all({probe.name: _check(probe) for probe in config.probes}, timeout_s=longest_s)
        told: list[tuple[str, str]] = []
        undelivered: list[tuple[str, str]] = []
        for probe, finding in zip(config.probes, findings, strict=True):
            known = state.setdefault(probe.name, Remembered())
            known.note(finding, probe, now)
            _tell(config, probe.name, known, finding.detail, told, undelivered)
        for forgotten in state.keys() - {probe.name for probe in config.probes}:
            del state[forgotten]
    return Round(findings, told, undelivered)


def ticks(
    every_s: float, *, wait: Callable[[float], bool], clock: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    """Yield at the start and every `every_s` after it, until `wait(seconds)` says to stop.

    The times are counted from the start, so that slow rounds do not add up; what a long round missed is left out.
    """
    started = clock()
    while True:
        yield
        passed = clock() - started
        if wait((passed // every_s + 1) * every_s - passed):
            return


def _check(probe: Probe) -> Callable[[], str]:
    return lambda: ask(probe)


def _tell(
    config: MonitorConfig,
    name: str,
    known: Remembered,
    detail: str,
    told: list[tuple[str, str]],
    undelivered: list[tuple[str, str]],
) -> None:
    for way, send in ways(config.alerts).items():
        if not known.is_news(way):
            continue
        alert = Alert(name, known.state, known.since, detail)
        try:
            send(alert)
        except NotDelivered as error:
            undelivered.append((way, str(error)))
        else:
            known.told[way] = known.state
            told.append((way, alert.text))
