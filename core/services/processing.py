"""Queueing work on a video, trying it again, canceling it, and bringing lost work back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core import tasks
from core.models import ProcessingJob, VideoAsset
from core.services.jobs import LEASE, MAX_TRIES

Kind, State = ProcessingJob.Kind, ProcessingJob.State
#: Somebody waits for the check; a watchable version matters more than thumbnails, however many of those wait.
PRIORITY: dict[str, int] = {Kind.VERIFY: 20, Kind.WEB: 10, Kind.THUMBNAILS: 0}
CANCELED = "canceled"
WORKER_LOST = "worker_lost"
UNAVAILABLE = "unavailable"
#: How long a job rests when the storage or the disk was away, by its tries: they are away for minutes, not seconds.
RESTS = {1: timedelta(minutes=1), 2: timedelta(minutes=5)}


@dataclass(frozen=True)
class Reaped:
    """How many jobs came back into the queue, were given up, and got a new task."""

    returned: int
    given_up: int
    queued: int


def queue_verification(*, video: VideoAsset, now: datetime) -> None:
    """Queue the check of a video that came in parts; call it in the transaction that makes its row."""
    _queue(video, [Kind.VERIFY], now)


def queue_processing(*, video: VideoAsset, now: datetime) -> None:
    """Queue what a ready video needs; call it in the transaction that makes the video ready."""
    kinds = [Kind.THUMBNAILS]
    if video.need != VideoAsset.Need.NOTHING or video.reveals_metadata:
        kinds.insert(0, Kind.WEB)
    _queue(video, kinds, now)


def retry_job(*, job: ProcessingJob) -> bool:
    """Queue a failed job again with all its tries; False when it has not failed, or found that this is no video."""
    with transaction.atomic():
        failed = ProcessingJob.objects.filter(pk=job.pk, state=State.FAILED).exclude(video__state="failed")
        if not failed.update(state=State.QUEUED, tries=0, percent=0, error_code="", queued_at=Now()):
            return False
        _queue_task(job)
    return True


def cancel_job(*, job: ProcessingJob) -> bool:
    """Give a waiting or running job up; whoever runs it finds its fence outdated. False when it had ended."""
    unfinished = ProcessingJob.objects.filter(pk=job.pk, state__in=ProcessingJob.UNFINISHED)
    return bool(unfinished.update(state=State.FAILED, error_code=CANCELED, fence=F("fence") + 1, lease_ends_at=None))


def reap_jobs() -> Reaped:
    """Bring jobs of dead workers back, give up after MAX_TRIES, and queue what no task will do. Safe to run twice."""
    expired = ProcessingJob.objects.filter(state=State.RUNNING, lease_ends_at__lt=Now())
    given_up = expired.filter(tries__gte=MAX_TRIES).update(
        state=State.FAILED, error_code=WORKER_LOST, lease_ends_at=None
    )
    returned = expired.update(state=State.QUEUED, task_id=None, queued_at=Now(), percent=0, lease_ends_at=None)
    queued = sum(_queue_again(job) for job in _without_task())
    return Reaped(returned=returned, given_up=given_up, queued=queued)


def _without_task() -> "QuerySet[ProcessingJob]":
    """Return the waiting jobs whose task is neither ready nor only just begun, but for those that rest."""
    begun_lately = Q(status="RUNNING", started_at__gt=_ago(LEASE))
    alive = DBTaskResult.objects.filter(pk=OuterRef("task_id")).filter(Q(status="READY") | begun_lately)
    rests = [Q(error_code=UNAVAILABLE, tries=tries, queued_at__gt=_ago(rest)) for tries, rest in RESTS.items()]
    waiting = ProcessingJob.objects.filter(~Exists(alive), state=State.QUEUED).exclude(reduce(or_, rests))
    return waiting.order_by("queued_at", "pk")


def _ago(time: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(Now() - time, output_field=DateTimeField())


def _queue_again(job: ProcessingJob) -> bool:
    with transaction.atomic():
        # Two reapers at once find the same job; only the first still sees the task it saw before.
        unchanged = ProcessingJob.objects.filter(pk=job.pk, state=State.QUEUED, task_id=job.task_id)
        if not unchanged.select_for_update().exists():
            return False
        _queue_task(job)
    return True


def _queue(video: VideoAsset, kinds: list[ProcessingJob.Kind], now: datetime) -> None:
    for kind in kinds:
        _queue_task(ProcessingJob.objects.create(video=video, kind=kind, queued_at=timezone.now(), created_at=now))


def _queue_task(job: ProcessingJob) -> None:
    task = tasks.process.using(priority=PRIORITY[job.kind]).enqueue(str(job.pk))
    ProcessingJob.objects.filter(pk=job.pk).update(task_id=task.id)
