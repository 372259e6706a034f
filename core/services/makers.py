"""What a worker makes of a video, by the kind of its job: the check with a poster, the web version, thumbnails.

Each maker gets the video, its original as a file, and a folder to work in; it stores what it made and returns what is
left to write down. Raises NotAVideo when the video is none, InspectionUnavailable or StorageUnavailable when the fault
is not the video's, and whatever `progress` raises, which is called with the percentage done.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from django.utils import timezone

from core.media.facts import Need, NotAVideo
from core.media.inspection import inspect_video
from core.media.rendition import make_rendition, rendition_limits
from core.media.thumbnails import make_thumbnails, thumbnails_vtt
from core.models import ProcessingJob, Rendition, VideoAsset
from core.services.processing import queue_processing
from core.services.renditions import record_rendition, store_file
from core.services.storage import VideoStorageService
from core.storage.local import LocalStorageBackend

Progress = Callable[[int], None]
#: What is left to write down once the files are stored, in the transaction that ends the job.
Record = Callable[[], None]


def original_as_file(video: VideoAsset, folder: Path) -> Path:
    """Return the original as a local file: where it is stored, or a copy of an object in S3. Raises ObjectNotFound."""
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
