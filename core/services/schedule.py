"""The one schedule: what runs now and then in whichever worker claims it first.

# Note [Beside the schedule]
What may take hours (a backup) runs in a thread of its own, so that the worker goes on showing that it lives and lost
jobs come back meanwhile. It must be safe to be killed anywhere: nobody waits for it when the worker stops.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.models import ScheduledRun, Worker
from core.services.backup_schedule import keep_backups
from core.services.one_folder import forget_sign
from core.services.processing import reap_jobs
from core.services.pruning import prune_uploads
from core.services.throttling import prune_throttles
from core.telemetry.catalog import SCHEDULED_RUNS

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """Something to run again once `every` has passed since it last began; `apart`: Note [Beside the schedule]."""

    name: str
    every: timedelta
    run: Callable[[], object]
    apart: bool = False


def prune_tasks() -> int:
    """Forget workers and ended or orphaned tasks of yesterday; the jobs' rows keep what matters."""
    before = _database_now() - FORGOTTEN_AFTER
    for worker in Worker.objects.filter(seen_at__lt=before):
        forget_sign(worker.name)
        worker.delete()
    return DBTaskResult.objects.exclude(status="READY").filter(started_at__lt=before).delete()[0]


def _database_now() -> datetime:
    """Return the time by the clock that all processes share; one whose own is wrong must sweep nothing early."""
    clock = ScheduledRun.objects.annotate(at=Now()).values_list("at", flat=True)[:1]
    return clock.get() if clock else timezone.now()


SCHEDULE = [  # the site adds what core knows nothing of
    Entry("reap jobs", timedelta(seconds=10), reap_jobs),
    Entry("prune uploads", timedelta(hours=1), lambda: prune_uploads(now=_database_now())),
    Entry("prune tasks", timedelta(hours=6), prune_tasks),
    Entry("prune throttles", timedelta(hours=1), lambda: prune_throttles(now=timezone.now())),
    Entry("back up", timedelta(hours=1), lambda: keep_backups(now=timezone.now()), apart=True),
]


def run_due(schedule: Sequence[Entry] = SCHEDULE) -> list[str]:
    """Run the due entries that nobody else claims first and return their names; one failing stops no other."""
    claimed = []
    for entry in schedule:
        if (entry.apart and _is_running(entry)) or not _claim(entry):
            continue
        claimed.append(entry)
        if entry.apart:
            threading.Thread(target=_run_apart, args=(entry,), name=_thread_name(entry), daemon=True).start()
        else:
            _run(entry)
    return [entry.name for entry in claimed]


def _run(entry: Entry) -> None:
    try:
        entry.run()
        SCHEDULED_RUNS.add(entry.name, "ok")
    except Exception:  # any entry may fail in any way, and the others run all the same
        SCHEDULED_RUNS.add(entry.name, "failed")
        logger.exception("Scheduled run failed", extra={"entry": entry.name})
    try:
        ScheduledRun.objects.filter(name=entry.name).update(last_finished_at=Now())
    except DatabaseError:
        logger.warning("End of a scheduled run not noted", extra={"entry": entry.name}, exc_info=True)


def _run_apart(entry: Entry) -> None:
    try:
        _run(entry)
    finally:
        connections.close_all()


def _is_running(entry: Entry) -> bool:
    return any(thread.name == _thread_name(entry) for thread in threading.enumerate())


def _thread_name(entry: Entry) -> str:
    return f"schedule {entry.name}"


def _claim(entry: Entry) -> bool:
    ScheduledRun.objects.get_or_create(name=entry.name)
    latest = ExpressionWrapper(Now() - entry.every, output_field=DateTimeField())
    due = Q(last_started_at__isnull=True) | Q(last_started_at__lte=latest)
    return bool(ScheduledRun.objects.filter(due, name=entry.name).update(last_started_at=Now()))
