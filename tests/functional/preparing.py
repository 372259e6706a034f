"""Videos that need something, their jobs, and doing what waits as a worker does."""

from datetime import timedelta
from pathlib import Path

from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import Classroom, User
from core.models import ProcessingJob, VideoAsset
from core.services.videos import store_video
from core.worker import PractikaWorker
from tests import factories


def stored(owner: User, classroom: Classroom, path: Path, name: str = "film.webm") -> VideoAsset:
    """Return a video that came in one shot, with its jobs queued."""
    return store_video(received=factories.received(path, name), owner=owner, classroom=classroom, now=timezone.now())


def jobs_of(video: VideoAsset) -> dict[str, ProcessingJob]:
    """Return the jobs of a video by their kind."""
    return {job.kind: job for job in ProcessingJob.objects.filter(video=video)}


def run_tasks() -> None:
    """Do what waits as a worker does, within the test's transaction (a worker would close its connection)."""
    worker = PractikaWorker(batch=True)
    while task := DBTaskResult.objects.ready().first():
        task.claim(worker.worker_id)
        worker.run_task(task)


def expire(job: ProcessingJob) -> None:
    """Let the lease of a job run out."""
    ProcessingJob.objects.filter(pk=job.pk).update(lease_ends_at=Now() - timedelta(seconds=1))
