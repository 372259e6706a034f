"""Doing a job: what a worker makes of a video, in a folder of its own that is gone afterwards."""

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.media.facts import Need, NotAVideo
from core.media.rendition import make_rendition, rendition_limits
from core.media.thumbnails import make_thumbnails, thumbnails_vtt
from core.models import ProcessingJob, Rendition, VideoAsset
from core.services.jobs import JobLost, fail_job, finish_job, give_back, holding, note_progress, take_job
from core.services.renditions import StoredFile, record_rendition, store_file
from core.services.storage import VideoStorageService
from core.storage.base import ObjectNotFound
from core.storage.local import LocalStorageBackend

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
#: How long a worker that was told to stop goes on with the job at hand before it gives the job back.
GRACE_S = 20.0
Progress = Callable[[int], None]
Made = list[tuple[str, StoredFile]]


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
    try:
        _do(job)
    except JobLost:
        logger.info("Processing lost", extra=fields)
    except NotAVideo as refusal:
        fail_job(job=job, code=refusal.code)
        logger.warning("Processing failed", extra={**fields, "code": refusal.code})
    except ObjectNotFound:
        fail_job(job=job, code="object_missing")
        logger.exception("Processing failed", extra={**fields, "code": "object_missing"})
    except WorkerStopping:
        give_back(job=job, code="", tried=False)
        logger.info("Processing given back", extra=fields)
    except Exception:
        give_back(job=job, code="unavailable")
        logger.exception("Processing interrupted", extra=fields)
    else:
        logger.info("Processing done", extra=fields)


def _do(job: ProcessingJob) -> None:
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    with (
        holding(job) as lost,
        tempfile.TemporaryDirectory(dir=settings.INCOMING_ROOT, prefix="job-") as folder,
    ):
        source = _source(job.video, Path(folder))
        made = MAKERS[job.kind](job.video, source, Path(folder), _progress_of(job, lost))
        with transaction.atomic():
            finish_job(job=job)
            for kind, stored in made:
                record_rendition(video=job.video, kind=kind, stored=stored, now=timezone.now())


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


def _source(video: VideoAsset, folder: Path) -> Path:
    """Return the original as a local file: where it is stored, or a copy of an object in S3."""
    backend = VideoStorageService().backend
    if isinstance(backend, LocalStorageBackend):
        backend.stat(video.storage_path)
        return backend.path(video.storage_path)
    copy = folder / "source"
    with backend.open(video.storage_path) as stored, copy.open("wb") as file:
        shutil.copyfileobj(stored, file, 1024 * 1024)
    return copy


def _make_web(video: VideoAsset, source: Path, folder: Path, progress: Progress) -> Made:
    target = folder / "web.mp4"
    need = Need.REMUX if video.need == Need.NOTHING else video.need
    limits = rendition_limits(duration_ms=video.duration_ms or 0, size_bytes=video.size_bytes)
    make_rendition(source, target, need=need, limits=limits, on_progress=progress)
    return [(Rendition.Kind.WEB, store_file(target, mime_type="video/mp4", now=timezone.now()))]


def _make_thumbnails(video: VideoAsset, source: Path, folder: Path, progress: Progress) -> Made:
    sprite, vtt = folder / "thumbnails.jpg", folder / "thumbnails.vtt"
    duration_ms = video.duration_ms or 0
    thumbnails = make_thumbnails(source, sprite, duration_ms=duration_ms)
    progress(90)
    vtt.write_text(thumbnails_vtt(thumbnails, duration_ms, "thumbnails.jpg"))
    return [
        (Rendition.Kind.SPRITE, store_file(sprite, mime_type="image/jpeg", now=timezone.now())),
        (Rendition.Kind.VTT, store_file(vtt, mime_type="text/vtt", now=timezone.now())),
    ]


MAKERS: dict[str, Callable[[VideoAsset, Path, Path, Progress], Made]] = {
    ProcessingJob.Kind.WEB: _make_web,
    ProcessingJob.Kind.THUMBNAILS: _make_thumbnails,
}
