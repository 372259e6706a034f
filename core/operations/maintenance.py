"""Maintenance mode: whether the site is closed to visitors, and what they read meanwhile.

# Note [Where it stands]
With local storage a file in the media folder says it: web processes and workers of the machine (or its containers)
share that folder, and it can be read while the database is away, which is when it is needed most. With S3 nodes share
nothing but the database. The newest audit event of `SUBJECT` is the state there: the trail is append-only, so no cull
or flush can open the site (a row of the database cache is culled at 300 keys), and who closed it is recorded anyway.
Each process asks for it at most once in FRESH_S; when the database does not answer, what was known last holds.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError

from core.models import AuditEvent
from core.services.components import NotUsable

logger = logging.getLogger(__name__)

FRESH_S = 5.0
FLAG_NAME = ".maintenance.json"
SUBJECT = "maintenance"
ON, OFF = "maintenance.on", "maintenance.off"
MESSAGE_CHARACTERS = 300


class StateUnknown(Exception):
    """Neither a flag nor a row can be read or written; the message says why."""


@dataclass(frozen=True)
class Maintenance:
    """The mode is on: the operator's sentence (may be empty), and since when."""

    message: str
    since: datetime


class RecentState:
    """The state as the database has it, at most FRESH_S old."""

    def __init__(self, read: Callable[[], Maintenance | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._known: Maintenance | None = None
        self._asked_at = float("-inf")

    def get(self) -> Maintenance | None:
        """Return the state; a database that does not answer leaves it as it was."""
        with self._lock:
            if self._clock() - self._asked_at < FRESH_S:
                return self._known
            self._asked_at = self._clock()  # others go on with what is known while this one asks
        try:
            self._known = self._read()
        except DatabaseError:
            logger.warning("Maintenance state unknown", exc_info=True)
        return self._known

    def forget(self) -> None:
        """Ask again next time."""
        self._asked_at = float("-inf")


def maintenance() -> Maintenance | None:
    """Return the mode while it is on, else None; never raises, and costs a request no query with local storage."""
    if settings.USE_S3:
        return RECENT.get()
    try:
        return _flag()
    except StateUnknown:
        logger.warning("Maintenance state unknown", exc_info=True)
        return None


def maintenance_now() -> Maintenance | None:
    """Return the mode as it stands this moment; raises StateUnknown."""
    try:
        return _newest_event() if settings.USE_S3 else _flag()
    except DatabaseError as error:
        raise StateUnknown(f"The database does not answer: {error}") from error


def turn_on(*, message: str, now: datetime) -> Maintenance:
    """Close the site to visitors, or change what they read; raises StateUnknown when it could not be closed."""
    mode = Maintenance(message[:MESSAGE_CHARACTERS], now)
    if not settings.USE_S3:
        _write_flag(mode)
    _record(ON, mode.message, now)
    return mode


def turn_off(*, now: datetime) -> bool:
    """Open the site and return whether it was closed; raises StateUnknown when it could not be opened."""
    was_on = maintenance_now() is not None
    if not settings.USE_S3:
        _remove_flag()
    if was_on:
        _record(OFF, "", now)
    return was_on


def check_maintenance() -> None:
    """Raise NotUsable while the mode is on: for readiness, which is degraded then."""
    if maintenance() is not None:
        raise NotUsable("The site is in maintenance.")


def flag_path() -> Path:
    """Return where the flag stands with local storage."""
    return Path(settings.MEDIA_ROOT) / FLAG_NAME


def _flag() -> Maintenance | None:
    """A flag made by hand (`touch`) counts as well, without a sentence."""
    path = flag_path()
    try:
        changed_s, text = path.stat().st_mtime, path.read_text(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateUnknown(f"{path} cannot be read ({error.strerror}).") from error
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        message = ""
    return Maintenance(message[:MESSAGE_CHARACTERS], datetime.fromtimestamp(changed_s, tz=UTC))


def _write_flag(mode: Maintenance) -> None:
    path = flag_path()
    half = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(json.dumps({"message": mode.message}))
        half.replace(path)
    except OSError as error:
        raise StateUnknown(f"{path} cannot be written ({error.strerror}).") from error


def _remove_flag() -> None:
    try:
        flag_path().unlink(missing_ok=True)
    except OSError as error:
        raise StateUnknown(f"{flag_path()} cannot be removed ({error.strerror}).") from error


def _newest_event() -> Maintenance | None:
    event = AuditEvent.objects.filter(object_type=SUBJECT, object_id="site").order_by("-at", "-pk").first()
    if event is None or event.action != ON:
        return None
    return Maintenance(str(event.detail.get("message", "")), event.at)


def _record(action: str, message: str, now: datetime) -> None:
    try:
        AuditEvent.objects.create(
            at=now, action=action, object_type=SUBJECT, object_id="site", detail={"message": message}
        )
    except DatabaseError as error:
        if settings.USE_S3:
            raise StateUnknown(f"The database does not answer: {error}") from error
        logger.warning("Maintenance not in the audit trail", exc_info=True)
    RECENT.forget()


RECENT = RecentState(_newest_event)
