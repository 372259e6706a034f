"""Readiness: can this process serve people now? One check per thing it needs.

# Note [Nobody waits for a hung check]
A check may hang (a frozen database keeps the connection open and says nothing), and a thread in Python
cannot be killed. So every check runs in a daemon thread of its own, the answer waits for all of them
together at most `timeout_s`, and a check that is still running is never started a second time: probing a
hung database for an hour leaves one thread behind, not a thousand.

# Note [One answer, shared for a second]
The answer is public, and the storage check writes, reads, and deletes an object. So all callers within
`shared_s` get the same answer, and those who ask while it is made wait for it: nobody can hammer the
storage with this URL.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field

from django.db import connections

from core.operations.maintenance import check_maintenance
from core.second_cache import SecondCacheAway
from core.services.components import (
    check_backup,
    check_cache,
    check_database,
    check_disk,
    check_migrations,
    check_queue,
    check_storage,
    check_worker,
)

logger = logging.getLogger(__name__)

OK, DEGRADED, FAIL = "ok", "degraded", "fail"


@dataclass(frozen=True)
class Component:
    """What one check found, and how long it took (or was waited for)."""

    name: str
    state: str
    milliseconds: float

    @property
    def ok(self) -> bool:
        """Return whether nothing is missing."""
        return self.state == OK

    @property
    def stops_traffic(self) -> bool:
        """Return whether nobody should be sent here because of it."""
        return self.state == FAIL and self.name not in DISPENSABLE


class Readiness:
    """Runs checks (name → function that raises when the thing is not usable) side by side."""

    def __init__(
        self,
        checks: Mapping[str, Callable[[], None]],
        *,
        timeout_s: float = 5.0,
        shared_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.checks = checks
        self.timeout_s = timeout_s
        self.shared_s = shared_s
        self.clock = clock
        self._turn = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._answer: list[Component] = []
        self._answered_at = float("-inf")

    def components(self) -> list[Component]:
        """Return one component per check, in the order of the checks; see the two Notes."""
        with self._turn:
            if self.clock() - self._answered_at >= self.shared_s:
                self._answer = self._ask_all()
                self._answered_at = self.clock()
            return self._answer

    def _ask_all(self) -> list[Component]:
        deadline = time.monotonic() + self.timeout_s
        runs = [self._start(name, check) for name, check in self.checks.items()]
        return [run.component(deadline) for run in runs]

    def _start(self, name: str, check: Callable[[], None]) -> "_Run":
        run = self._runs.get(name)
        if run is None or run.finished.is_set():
            run = self._runs[name] = _Run(name, check)
            context = copy_context()
            threading.Thread(target=context.run, args=(run.execute,), name=f"ready-{name}", daemon=True).start()
        return run


@dataclass
class _Run:
    """One execution of one check, in a thread that may outlive the answer."""

    name: str
    check: Callable[[], None]
    started: float = field(default_factory=time.monotonic)
    finished: threading.Event = field(default_factory=threading.Event)
    state: str = FAIL
    seconds: float = 0.0

    def execute(self) -> None:
        try:
            self.check()
            self.state = OK
        except SecondCacheAway:
            self.state = DEGRADED
            logger.warning("Readiness check degraded", extra={"component": self.name}, exc_info=True)
        except Exception:  # whatever a check meets, its component fails; nobody asks this thread
            logger.warning("Readiness check failed", extra={"component": self.name}, exc_info=True)
        finally:
            self.seconds = time.monotonic() - self.started
            try:
                # Connections belong to the thread that opened them; this one ends here.
                connections.close_all()
            finally:
                self.finished.set()

    def component(self, deadline: float) -> Component:
        if not self.finished.wait(max(0.0, deadline - time.monotonic())):
            logger.warning("Readiness check timed out", extra={"component": self.name})
            return Component(self.name, FAIL, round((time.monotonic() - self.started) * 1000, 1))
        return Component(self.name, self.state, round(self.seconds * 1000, 1))


CHECKS = {
    "database": check_database,
    "migrations": check_migrations,
    "storage": check_storage,
    "cache": check_cache,
    "queue": check_queue,
    "worker": check_worker,
    "disk": check_disk,
    "backup": check_backup,
    "maintenance": check_maintenance,
}
#: Without these, people can still watch and send; traffic stays, and somebody should look.
DISPENSABLE = {"queue", "worker", "disk", "backup", "maintenance"}
READINESS = Readiness(CHECKS)


def check_readiness() -> list[Component]:
    """Return the state of everything this process needs, at most a second old."""
    return READINESS.components()
