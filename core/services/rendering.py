"""Doing a job in a folder of its own that is gone afterwards, and writing down how that ended."""

import logging
import threading
import time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.media.facts import InspectionKilled, NotAVideo
from core.models import ProcessingJob
from core.services.jobs import JobLost, fail_job, finish_job, give_back, holding, note_progress, take_job
from core.services.makers import MAKERS, Progress, original_as_file
from core.services.processing import UNAVAILABLE, WORKER_LOST
from core.services.scratch import folder_of
from core.services.videos import refuse_video
from core.storage.base import ObjectNotFound
from core.telemetry.catalog import PROCESSING_SECONDS
from core.telemetry.series import Outcome

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
#: How long a worker that was told to stop goes on with the job at hand before it gives the job back.
GRACE_S = 20.0


class WorkerStopping(Exception):
    """This worker was told to stop, and the job at hand takes longer than its grace."""


class Stopping:
    """When this process was told to stop, for the job at hand to look at."""

    def __init__(self) -> None:
        self._since: float | None = None

    def begin(self) -> None:
        """Start the grace period."""
        self._since = time.monotonic()

    def is_over(self) -> bool:
        """Return whether the grace period has passed."""
        return self._since is not None and time.monotonic() - self._since >= GRACE_S


STOPPING = Stopping()


def run_job(*, job_id: UUID) -> None:
    """Do the job if it still waits. However this ends, the job's row says so; nothing is raised for its sake."""
    job = take_job(job_id=job_id)
    if job is None:
        return
    fields = {"job_id": str(job.pk), "video_id": str(job.video_id), "kind": job.kind, "tries": job.tries}
    logger.info("Processing started", extra=fields)
    outcome = Outcome()
    with PROCESSING_SECONDS.timing(outcome, job.kind):
        outcome.word = _end(job, fields)


def _end(job: ProcessingJob, fields: dict[str, object]) -> str:
    """Do a job and write down how that ended; return it in a word."""
    try:
        return _done(job, fields)
    except JobLost:
        logger.info("Processing lost", extra=fields)
        return "lost"


def _done(job: ProcessingJob, fields: dict[str, object]) -> str:
    """Do a job and write down how that ended; return it in a word. Raises JobLost, whenever it is found out."""
    try:
        _do(job)
    except JobLost:
        raise
    except NotAVideo as refusal:
        _refuse(job, refusal.code)
        logger.warning("Processing failed", extra={**fields, "code": refusal.code})
        return "refused"
    except ObjectNotFound:
        _refuse(job, "object_missing")
        logger.exception("Processing failed", extra={**fields, "code": "object_missing"})
        return "refused"
    except WorkerStopping:
        give_back(job=job, code="", tried=False)
        logger.info("Processing given back", extra=fields)
        return "given_back"
    except InspectionKilled:
        give_back(job=job, code=WORKER_LOST)
        logger.exception("Processing interrupted", extra=fields)
        return "interrupted"
    except Exception:  # whatever else it is, another worker, or another minute, may do better
        give_back(job=job, code=UNAVAILABLE)
        logger.exception("Processing interrupted", extra=fields)
        return "interrupted"
    logger.info("Processing done", extra=fields)
    return "done"


def _refuse(job: ProcessingJob, code: str) -> None:
    """End a job for good; what fails its check is no video, and goes. Raises JobLost, and then changes nothing."""
    with transaction.atomic():
        fail_job(job=job, code=code)
        if job.kind == ProcessingJob.Kind.VERIFY:
            refuse_video(video=job.video, code=code, now=timezone.now())


def _do(job: ProcessingJob) -> None:
    with holding(job) as lost, folder_of(job) as folder:
        source = original_as_file(job.video, folder)
        record = MAKERS[job.kind](job.video, source, folder, _progress_of(job, lost))
        with transaction.atomic():
            finish_job(job=job)
            record()


def _progress_of(job: ProcessingJob, lost: threading.Event) -> Progress:
    """Return what the encoder calls: it writes the percentage down now and then, and stops work that is in vain."""
    written = time.monotonic()

    def progress(percent: int) -> None:
        nonlocal written
        if lost.is_set():
            raise JobLost
        if STOPPING.is_over():
            raise WorkerStopping
        if time.monotonic() - written >= PROGRESS_EVERY_S:
            note_progress(job=job, percent=min(percent, 99))
            written = time.monotonic()

    return progress
