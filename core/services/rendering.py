"""Doing a job: what a worker makes of a video, in a folder of its own that is gone afterwards."""

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.media.facts import InspectionKilled, Need, NotAVideo
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition, rendition_limits
from core.media.thumbnails import make_thumbnails, thumbnails_vtt
from core.models import ProcessingJob, Rendition, VideoAsset
from core.services.jobs import JobLost, fail_job, finish_job, give_back, holding, note_progress, take_job
from core.services.processing import WORKER_LOST, queue_processing
from core.services.renditions import record_rendition, store_file
from core.services.scratch import folder_of
from core.services.storage import VideoStorageService
from core.services.videos import refuse_video
from core.storage.base import ObjectNotFound
from core.storage.local import LocalStorageBackend
from core.telemetry.catalog import PROCESSING_SECONDS
from core.telemetry.series import Outcome

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
#: How long a worker that was told to stop goes on with the job at hand before it gives the job back.
GRACE_S = 20.0
Progress = Callable[[int], None]
#: What is left to write down once the files are stored, in the transaction that ends the job.
Record = Callable[[], None]


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
        give_back(job=job, code="unavailable")
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
        source = _source(job.video, folder)
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


def _make_web(video: VideoAsset, source: Path, folder: Path, progress: Progress) -> Record:
    target = folder / "web.mp4"
    need = Need.REMUX if video.need == Need.NOTHING else video.need
    limits = rendition_limits(duration_ms=video.duration_ms or 0, size_bytes=video.size_bytes)
    make_rendition(source, target, need=need, limits=limits, on_progress=progress)
    return _stored(video, {Rendition.Kind.WEB: (target, "video/mp4")})


def _make_thumbnails(video: VideoAsset, source: Path, folder: Path, progress: Progress) -> Record:
    sprite, vtt = folder / "thumbnails.jpg", folder / "thumbnails.vtt"
    duration_ms = video.duration_ms or 0
    thumbnails = make_thumbnails(source, sprite, duration_ms=duration_ms)
    progress(90)
    vtt.write_text(thumbnails_vtt(thumbnails, duration_ms, "thumbnails.jpg"))
    return _stored(video, {Rendition.Kind.SPRITE: (sprite, "image/jpeg"), Rendition.Kind.VTT: (vtt, "text/vtt")})


def _verify(video: VideoAsset, source: Path, folder: Path, progress: Progress) -> Record:
    """Decide whether what came in parts is a video, and the one its sender has; a poster comes with the answer."""
    with source.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    progress(50)
    if video.upload.expected_sha256 not in {"", checksum}:
        raise NotAVideo("checksum_differs", "")
    poster = folder / "poster.jpg"
    facts = inspect_video(source, poster=poster)
    record_poster = _stored(video, {Rendition.Kind.POSTER: (poster, "image/jpeg")})

    def record() -> None:
        record_poster()
        ready = {**asdict(facts), "checksum_sha256": checksum, "state": VideoAsset.State.READY}
        VideoAsset.objects.filter(pk=video.pk).update(**ready)
        queue_processing(video=VideoAsset.objects.get(pk=video.pk), now=timezone.now())

    return record


def _stored(video: VideoAsset, files: dict[str, tuple[Path, str]]) -> Record:
    """Store the files made; what is returned names them as the video's renditions."""
    stored = {kind: store_file(path, mime_type=mime, now=timezone.now()) for kind, (path, mime) in files.items()}

    def record() -> None:
        for kind, file in stored.items():
            record_rendition(video=video, kind=kind, stored=file, now=timezone.now())

    return record


MAKERS: dict[str, Callable[[VideoAsset, Path, Path, Progress], Record]] = {
    ProcessingJob.Kind.VERIFY: _verify,
    ProcessingJob.Kind.WEB: _make_web,
    ProcessingJob.Kind.THUMBNAILS: _make_thumbnails,
}
