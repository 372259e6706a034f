"""The one schedule: what runs now and then in whichever worker claims it first."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.models import ScheduledRun, Worker
from core.services.processing import reap_jobs
from core.services.pruning import prune_uploads

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """Something to run again once `every` has passed since it last began."""

    name: str
    every: timedelta
    run: Callable[[], object]


def prune_tasks() -> int:
    """Forget workers and ended or orphaned tasks of yesterday; the jobs' rows keep what matters."""
    before = timezone.now() - FORGOTTEN_AFTER
    Worker.objects.filter(seen_at__lt=before).delete()
    return DBTaskResult.objects.exclude(status="READY").filter(started_at__lt=before).delete()[0]


SCHEDULE = [  # the site adds what core knows nothing of
    Entry("reap jobs", timedelta(seconds=10), reap_jobs),
    Entry("prune uploads", timedelta(hours=1), lambda: prune_uploads(now=timezone.now())),
    Entry("prune tasks", timedelta(hours=6), prune_tasks),
]


def run_due(schedule: Sequence[Entry] = SCHEDULE) -> list[str]:
    """Run the due entries that nobody else claims first and return their names; one failing stops no other."""
    claimed = [entry for entry in schedule if _claim(entry)]
    for entry in claimed:
        try:
            entry.run()
        except Exception:
            logger.exception("Scheduled run failed", extra={"entry": entry.name})
        ScheduledRun.objects.filter(name=entry.name).update(last_finished_at=Now())
    return [entry.name for entry in claimed]


def _claim(entry: Entry) -> bool:
    ScheduledRun.objects.get_or_create(name=entry.name)
    latest = ExpressionWrapper(Now() - entry.every, output_field=DateTimeField())
    due = Q(last_started_at__isnull=True) | Q(last_started_at__lte=latest)
    return bool(ScheduledRun.objects.filter(due, name=entry.name).update(last_started_at=Now()))
