"""What a check found, and running several checks so that none can hold up the answer.

# Note [Three ends]
Every operator's command ends with 0 when all is well, 1 when something is wrong, and 2 when it could not tell:
nothing answered, or not in time. A script may then repair on 1 and call somebody on 2.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connections

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"
FINE, PROBLEM, COULD_NOT_TELL = 0, 1, 2  # see Note [Three ends]

Check = Callable[[], str]

logger = logging.getLogger(__name__)


class Failed(Exception):
    """The thing is not as it should be; the message says what was found, `hint` what to do."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.hint = hint


class CouldNotTell(Failed):
    """The check itself did not come to an end."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: state is ok, fail, or unknown; detail and hint are for people."""

    name: str
    state: str
    detail: str
    hint: str = ""
    milliseconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def find(name: str, check: Check) -> Finding:
    """Run one check: what it returns is the detail; what it raises, the failure."""
    started = time.monotonic()
    hint = ""
    try:
        state, detail = OK, check()
    except Failed as error:
        state, detail, hint = UNKNOWN if isinstance(error, CouldNotTell) else FAIL, str(error), error.hint
    except Exception as error:  # a failed check is an answer, which the command prints; the traceback is for DEBUG
        logger.debug("Check failed", extra={"check": name}, exc_info=True)
        said = str(error).strip().partition("\n")[0]
        state, detail = FAIL, f"{type(error).__name__}: {said}" if said else type(error).__name__
    return Finding(name, state, detail, hint, round((time.monotonic() - started) * 1000, 1))


def find_all(checks: Mapping[str, Check], *, timeout_s: float) -> list[Finding]:
    """Run the checks side by side and return a finding for each, in their order, after `timeout_s` at most.

    A check that still runs then is unknown; its thread is left behind and ends with the process.
    """
    found: dict[str, Finding] = {}
    threads = [
        threading.Thread(target=copy_context().run, args=(_find_into, found, name, check), daemon=True)
        for name, check in checks.items()
    ]
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {timeout_s:g} s"
    return [found.get(name) or Finding(name, UNKNOWN, late, milliseconds=timeout_s * 1000) for name in list(checks)]


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 when anything failed, else 2 when anything is unknown, else 0."""
    states = {finding.state for finding in findings}
    return PROBLEM if FAIL in states else COULD_NOT_TELL if UNKNOWN in states else FINE


def _find_into(found: dict[str, Finding], name: str, check: Check) -> None:
    try:
        found[name] = find(name, check)
    finally:
        connections.close_all()  # they belong to this thread, which ends here
