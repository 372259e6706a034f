"""Taking, holding, and ending a job, each by one conditional UPDATE (Note [The row is the truth])."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import connections, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now

from core.models import ProcessingJob

LEASE = timedelta(minutes=2)
RENEWED_EVERY_S = LEASE.total_seconds() / 4
MAX_TRIES = 3

State = ProcessingJob.State


class JobLost(Exception):
    """Somebody else has the job now, or it was canceled, or its video deleted: stop, and leave nothing behind."""


def take_job(*, job_id: UUID) -> ProcessingJob | None:
    """Return the job with a lease and a new fence, or None when it does not wait any more."""
    with transaction.atomic():
        waiting = ProcessingJob.objects.filter(pk=job_id, state=State.QUEUED)
        taken = waiting.update(
            state=State.RUNNING,
            fence=F("fence") + 1,
            tries=F("tries") + 1,
            percent=0,
            error_code="",
            started_at=Now(),
            lease_ends_at=_new_lease(),
        )
        return ProcessingJob.objects.select_related("video").get(pk=job_id) if taken else None


@contextmanager
def holding(job: ProcessingJob) -> Iterator[threading.Event]:
    """Renew the lease from a thread while the block runs; the event is set once the job is lost."""
    lost, ended = threading.Event(), threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEWED_EVERY_S) and not lost.is_set():
                if not _held(job).update(lease_ends_at=_new_lease()):
                    lost.set()
        finally:
            connections.close_all()

    keeper = threading.Thread(target=renew, name=f"lease-{job.pk}", daemon=True)
    keeper.start()
    try:
        yield lost
    finally:
        ended.set()
        keeper.join()


def note_progress(*, job: ProcessingJob, percent: int) -> None:
    """Write down how far it is; raises JobLost."""
    if not _held(job).update(percent=percent, lease_ends_at=_new_lease()):
        raise JobLost


def finish_job(*, job: ProcessingJob) -> None:
    """Mark it done, inside the transaction that records what it made; raises JobLost."""
    if not _held(job).update(state=State.DONE, percent=100, lease_ends_at=None):
        raise JobLost


def fail_job(*, job: ProcessingJob, code: str) -> None:
    """Mark it failed for good: trying again would end the same way; raises JobLost."""
    if not _held(job).update(state=State.FAILED, error_code=code, lease_ends_at=None):
        raise JobLost


def give_back(*, job: ProcessingJob, code: str, tried: bool = True) -> None:
    """Put it back into the queue (uncounted unless `tried`), or fail it after MAX_TRIES; raises JobLost."""
    if tried and job.tries >= MAX_TRIES:
        fail_job(job=job, code=code)
        return
    given = _held(job).update(
        state=State.QUEUED,
        error_code=code,
        tries=F("tries") - (0 if tried else 1),
        queued_at=Now(),
        percent=0,
        lease_ends_at=None,
    )
    if not given:
        raise JobLost


def _held(job: ProcessingJob) -> "QuerySet[ProcessingJob]":
    return ProcessingJob.objects.filter(pk=job.pk, fence=job.fence, state=State.RUNNING)


def _new_lease() -> ExpressionWrapper:
    return ExpressionWrapper(Now() + LEASE, output_field=DateTimeField())
