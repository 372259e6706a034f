"""What the monitor remembers between rounds, so that everybody is told once, and once more when it is over.

# Note [Told, for each way]
A probe is down after `failures` bad rounds in a row, and up after one good one. For each way of telling (webhook,
e-mail) the file holds what was last told about each probe; whenever that differs from what is, it is told, and only
what was delivered is written down. So a restart repeats nothing, and a webhook that is down itself hears it later.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from core.operations.findings import OK, Finding
from core.operations.monitor_config import Probe

UP, DOWN = "up", "down"


class StateUnusable(Exception):
    """The file cannot be read, written, or is used by another monitor just now."""


@dataclass
class Remembered:
    """One probe: bad rounds in a row, whether it counts as down and since when, and what was told by each way."""

    failures: int = 0
    state: str = UP
    since: str = ""
    told: dict[str, str] = field(default_factory=dict)

    def note(self, finding: Finding, probe: Probe, now: datetime) -> None:
        """Take in one round."""
        self.failures = 0 if finding.state == OK else self.failures + 1
        state = UP if not self.failures else DOWN if self.failures >= probe.failures else self.state
        if state != self.state:
            self.state, self.since = state, now.isoformat(timespec="seconds")

    def is_news(self, way: str) -> bool:
        """Return whether somebody has to be told by that way."""
        return self.told.get(way, UP) != self.state


State = dict[str, Remembered]


@contextmanager
def kept_state(path: Path) -> Iterator[State]:
    """Yield what is remembered, by probe, and write it down afterward; raises StateUnusable.

    One monitor at a time: two that overlap (cron, and a slow round) would tell everything twice.
    """
    try:
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateUnusable(f"Another monitor uses {path} just now.") from error
            state = _read(path)
            yield state
            _write(path, state)
    except OSError as error:
        raise StateUnusable(f"{path} cannot be used ({error.strerror}).") from error


def _read(path: Path) -> State:
    try:
        return {name: Remembered(**entry) for name, entry in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise StateUnusable(f"{path} is damaged. Remove it; what is down is then told again.") from error


def _write(path: Path, state: State) -> None:
    half = path.with_name(f"{path.name}.{os.getpid()}")
    half.write_text(json.dumps({name: asdict(entry) for name, entry in state.items()}, indent=1))
    half.replace(path)
