"""The folders in which workers do their jobs: one for each time a job is taken, gone when that ends."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from core.models import ProcessingJob


@contextmanager
def folder_of(job: ProcessingJob) -> Iterator[Path]:
    """Yield a folder that goes with the block, and with it what workers that were killed left of this job."""
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    for left in settings.INCOMING_ROOT.glob(f"job-{job.pk}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = settings.INCOMING_ROOT / f"job-{job.pk}-{job.fence}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forgotten_folders() -> list[Path]:
    """Return the folders in which nobody works any more: their jobs have ended, or were taken again."""
    found = list(settings.INCOMING_ROOT.glob("job-*"))  # before the rows are read: a job runs before it has a folder
    running = ProcessingJob.objects.filter(state=ProcessingJob.State.RUNNING).values_list("pk", "fence")
    used = {f"job-{job}-{fence}" for job, fence in running}
    return [folder for folder in found if folder.name not in used]
