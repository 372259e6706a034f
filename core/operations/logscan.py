"""What a log says: errors, slow requests, and which pages are asked for most.

# Note [Flat memory]
A log may be longer than memory. So nothing is kept for each line: errors are counted by logger and message, slow
requests are the slowest few, times are classes (see `percentiles`), and ids in a path become `<id>`. Where strangers
choose the words (paths that are not ours, messages), only so many are told apart; the rest is counted as "(other)".
"""

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.operations.percentiles import Percentiles

ERROR_LEVELS = {"ERROR", "CRITICAL"}
TOLD_APART = 1000
OTHER = "(other)"
SHOWN_CHARACTERS = 200
LONGEST_MS = 10**9  # eleven days: more is no request

# Keys of ours (UUIDs and numbers), and the signed tokens of media and password links.
IDS = re.compile(
    r"(?<=/)(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9]+|[^/]{40,})(?=[/.]|$)"
)


@dataclass
class ErrorKind:
    """Errors of one logger with one message: how many, and when and in which request the last one was."""

    logger: str
    message: str
    count: int = 0
    last_at: str = ""
    last_request_id: str = ""


@dataclass(frozen=True, order=True)
class SlowRequest:
    """A request that took longer than allowed; ordered by how long."""

    duration_ms: float
    order: int
    at: str
    method: str
    path: str
    status: int
    request_id: str


@dataclass
class LogScan:
    """Counts lines as they are given to `add`; see Note [Flat memory]."""

    slow_ms: float
    keep: int
    lines: int = 0
    unreadable: int = 0
    errors: int = 0
    requests: int = 0
    failed_requests: int = 0
    slow: int = 0
    kinds: dict[tuple[str, str], ErrorKind] = field(default_factory=dict)
    paths: dict[str, Percentiles] = field(default_factory=dict)
    slowest: list[SlowRequest] = field(default_factory=list)

    def add(self, line: dict[str, Any] | None) -> None:
        """Count one line, None for one that is no JSON object."""
        self.lines += 1
        if line is None:
            self.unreadable += 1
            return
        if line.get("level") in ERROR_LEVELS:
            self._add_error(line)
        duration_ms = line.get("duration_ms")
        if isinstance(duration_ms, int | float) and 0 <= duration_ms < LONGEST_MS and "path" in line:
            self._add_request(line, float(duration_ms))

    @property
    def is_fine(self) -> bool:
        """Return whether there is neither an error nor a request that failed on our side."""
        return not self.errors and not self.failed_requests

    def top_paths(self) -> list[tuple[str, Percentiles]]:
        """Return the paths asked for most, the busiest first."""
        return heapq.nlargest(self.keep, self.paths.items(), key=lambda path: path[1].count)

    def top_errors(self) -> list[ErrorKind]:
        """Return the errors seen most often."""
        return heapq.nlargest(self.keep, self.kinds.values(), key=lambda kind: kind.count)

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name, times in milliseconds."""
        names = ("lines", "unreadable", "requests", "errors", "failed_requests", "slow", "slow_ms")
        slowest = [
            {name: value for name, value in vars(request).items() if name != "order"}
            for request in sorted(self.slowest, reverse=True)
        ]
        paths = [
            {
                "path": path,
                "requests": times.count,
                "p50_ms": round(times.at(0.5), 1),
                "p95_ms": round(times.at(0.95), 1),
            }
            for path, times in self.top_paths()
        ]
        return {
            **{name: getattr(self, name) for name in names},
            "top_errors": [vars(kind) for kind in self.top_errors()],
            "slowest": slowest,
            "top_paths": paths,
        }

    def _add_error(self, line: dict[str, Any]) -> None:
        self.errors += 1
        logger, message = _text(line, "logger"), _without_ids(_text(line, "message"))
        key = (logger, message)
        if key not in self.kinds and len(self.kinds) >= TOLD_APART:
            key = (OTHER, OTHER)
        kind = self.kinds.setdefault(key, ErrorKind(*key))
        kind.count += 1
        kind.last_at, kind.last_request_id = _text(line, "timestamp"), _text(line, "request_id")

    def _add_request(self, line: dict[str, Any], duration_ms: float) -> None:
        self.requests += 1
        given = line.get("status")
        status = given if isinstance(given, int) else 0
        self.failed_requests += status >= 500
        path = _without_ids(_text(line, "path"))
        if path not in self.paths and len(self.paths) >= TOLD_APART:
            path = OTHER
        self.paths.setdefault(path, Percentiles()).add(duration_ms)
        if duration_ms >= self.slow_ms:
            self.slow += 1
            names = ("timestamp", "method", "path")
            at, method, whole = (_text(line, name) for name in names)
            request = SlowRequest(duration_ms, -self.lines, at, method, whole, status, _text(line, "request_id"))
            keep = heapq.heappush if len(self.slowest) < self.keep else heapq.heappushpop
            keep(self.slowest, request)


def scan(lines: Iterable[dict[str, Any] | None], *, slow_ms: float, keep: int) -> LogScan:
    """Return what the lines say; a request is slow from `slow_ms` on, lists hold `keep` entries."""
    found = LogScan(slow_ms, max(1, keep))
    for line in lines:
        found.add(line)
    return found


def _text(line: dict[str, Any], name: str) -> str:
    return str(line.get(name, ""))[:SHOWN_CHARACTERS]


def _without_ids(text: str) -> str:
    return IDS.sub("<id>", text)
