"""The sweep: what was begun and never finished goes after a day, and nothing that is alive does.

# Note [Two clocks]
A row's time is that of the server that wrote it, and a server's clock may be a day slow. So before an upload is given
up the storage is asked, too: bytes that came within the day by its own clock keep the upload alive.
"""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import ProtectedError

from core.models import Upload, VideoAsset
from core.refusals import VideoRefused
from core.services.completion import settle_upload
from core.services.deletions import sweep_deletions
from core.services.part_storage import part_storage
from core.services.scratch import forgotten_folders
from core.services.uploads import abort_upload, parted
from core.services.videos import abandon_upload, delete_video_asset
from core.storage.base import StorageError, StorageUnavailable

logger = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(hours=24)
UNUSED_AFTER = timedelta(days=7)
DELETION_RETRIED_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Pruned:
    """How many of each were removed, and how many objects the storage would not remove."""

    uploads: int
    unused_videos: int
    incoming_files: int
    objects: int
    objects_left: int


def prune_uploads(*, now: datetime) -> Pruned:
    """Remove abandoned uploads, videos nothing ever used, forgotten files, and objects waiting to go."""
    uploads = Upload.objects.filter(state__in=Upload.UNFINISHED, last_activity_at__lt=now - ABANDONED_AFTER).order_by(
        "last_activity_at", "pk"
    )
    abandoned = sum(_give_up(upload, now) for upload in uploads)
    unused = sum(_delete_unused_videos(now))
    files = {*_forgotten_files(now), *forgotten_folders()}
    for path in files:
        _remove(path)
    removed, left = sweep_deletions(before=now - DELETION_RETRIED_AFTER)
    return Pruned(abandoned, unused, len(files) + _forget_parts(now), removed, left)


def _give_up(upload: Upload, now: datetime) -> bool:
    """End an idle upload: what was being completed is settled by looking, and what is alive again is left alone."""
    try:
        if not upload.part_size_bytes:  # came in one shot
            abandon_upload(upload=upload, now=now)
        elif upload.state == Upload.State.COMPLETING:
            settle_upload(upload=upload, now=now)
        elif _got_bytes_since(upload, now - ABANDONED_AFTER):
            return False
        else:
            return abort_upload(upload=upload, by=None, now=now, idle_since=now - ABANDONED_AFTER)
    except (StorageError, VideoRefused):
        logger.exception("Upload not ended, the sweep will try again", extra={"upload_id": str(upload.pk)})
        return False
    return True


def _got_bytes_since(upload: Upload, time: datetime) -> bool:
    """Return what the storage's clock says (Note [Two clocks]); what is being given up already goes on."""
    storage = part_storage()
    if upload.state != Upload.State.OPEN or upload.backend != storage.name or not upload.backend_upload_id:
        return False
    touched = storage.touched_at(parted(upload))
    return touched is not None and touched >= time


def _forget_parts(now: datetime) -> int:
    """Remove what the storage holds of uploads that no unfinished row names; return how many."""
    storage, removed = part_storage(), 0
    unfinished = Upload.objects.filter(state__in=Upload.UNFINISHED)
    try:
        for begun in storage.begun_before(now - ABANDONED_AFTER):
            if not unfinished.filter(backend_upload_id=begun.upload_id).exists():
                storage.discard(begun)
                removed += 1
    except StorageUnavailable:
        logger.exception("Parts not removed, the sweep will try again")
    return removed


def _delete_unused_videos(now: datetime) -> Iterator[bool]:
    unused = VideoAsset.objects.filter(attached_at__isnull=True, created_at__lt=now - UNUSED_AFTER)
    for video in unused.order_by("created_at", "pk"):
        try:
            delete_video_asset(video=video, now=now)
        except ProtectedError:  # something began to use it meanwhile
            continue
        yield True


def _remove(path: Path) -> None:
    """Remove a file, or the folder of a worker that was killed."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _forgotten_files(now: datetime) -> list[Path]:
    oldest = (now - ABANDONED_AFTER).timestamp()
    folder = settings.INCOMING_ROOT
    return [path for path in folder.iterdir() if path.stat().st_mtime < oldest] if folder.exists() else []
