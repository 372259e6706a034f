"""Taking a received video into storage, handing it to what uses it, and deleting it."""

import logging
import uuid
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from core.media.facts import NotAVideo, VideoFacts
from core.media.inspection import inspect_video
from core.models import Rendition, Upload, VideoAsset
from core.received import ReceivedVideo
from core.refusals import VideoRefused
from core.services.audit import record_event
from core.services.deletions import request_deletion
from core.services.playback import failure_sentence
from core.services.processing import queue_processing
from core.services.quotas import check_quotas
from core.services.renditions import record_rendition, store_file
from core.services.storage import VideoStorageService
from core.storage.base import StorageFull, StorageUnavailable
from core.storage.keys import new_key
from core.telemetry.catalog import UPLOAD_BYTES, UPLOAD_FAILURES, UPLOADS

if TYPE_CHECKING:
    from accounts.models import Classroom, User

logger = logging.getLogger(__name__)

WAY = "form"  # as the metrics call it

UPLOAD_GONE = "This upload is not there any more, or is already in use. Please send the video again."


class NotPlayable(VideoRefused):
    """The file is not a video that can be decoded, or is beyond the limits."""


def store_video(
    *,
    received: ReceivedVideo,
    owner: "User",
    classroom: "Classroom",
    name: str = "",
    description: str = "",
    now: datetime,
) -> VideoAsset:
    """Return a ready video with measured facts and a poster, stored under a key of our own.

    Raises VideoRefused (NotPlayable, QuotaExceeded, TooManyUploads) and StorageUnavailable; the received file and
    whatever was stored are gone then. Order: row, bytes durable, row complete (Note [The row comes first]).
    """
    upload = _open_upload(received, owner=owner, classroom=classroom, now=now)
    fields = {"upload_id": str(upload.pk), "size_bytes": received.size, "file_name": received.name}
    logger.info("Video upload started", extra=fields)
    UPLOADS.add("opened", WAY)
    UPLOAD_BYTES.add(WAY, amount=received.size)
    poster_path = settings.INCOMING_ROOT / f"{uuid.uuid4()}.jpg"
    try:
        facts = inspect_video(received.path, poster=poster_path)
        video = _store(upload, received, poster_path, facts, name=name, description=description, now=now)
    except NotAVideo as refusal:
        _count_failure(refusal.code)
        abandon_upload(upload=upload, now=now)
        logger.info("Video upload failed", extra={**fields, "code": refusal.code})
        raise NotPlayable(refusal.code, refusal.sentence) from refusal
    except Exception as error:  # whatever it was, it is logged before the cleaning, which may fail for the same reason
        _count_failure("error")
        logger.exception("Video upload failed", extra=fields)
        is_away = isinstance(error, StorageUnavailable) and not isinstance(error, StorageFull)
        abandon_upload(upload=upload, now=now, at_once=not is_away)
        raise
    finally:
        received.close()
        poster_path.unlink(missing_ok=True)
    logger.info("Video upload completed", extra={**fields, "video_id": str(video.pk)})
    UPLOADS.add("completed", WAY)
    return video


def take_video(
    *, given: ReceivedVideo | UUID, owner: "User", classroom: "Classroom", name: str = "", now: datetime
) -> VideoAsset:
    """Return the video a form brings: a file it carries, stored now, or one that was uploaded before, by its key.

    Raises what `store_video` raises, and VideoRefused when there is no such upload of `owner` in this class, or when
    it turned out to be no video.
    """
    if isinstance(given, ReceivedVideo):
        return store_video(received=given, owner=owner, classroom=classroom, name=name, now=now)
    video = VideoAsset.objects.filter(pk=given, owner=owner, classroom=classroom, attached_at__isnull=True).first()
    if video is None:
        raise VideoRefused("upload_gone", UPLOAD_GONE)
    if video.state == VideoAsset.State.FAILED:
        raise VideoRefused(video.failure_code, failure_sentence(video.failure_code))
    VideoAsset.objects.filter(pk=video.pk).update(name=name)
    video.name = name
    return video


def attach_new_video(*, video: VideoAsset, audience: str, shown_with: VideoAsset | None = None, now: datetime) -> None:
    """Attach a video that nothing uses yet; VideoRefused when another tab was faster. Call it in the transaction."""
    if not VideoAsset.objects.filter(pk=video.pk, attached_at__isnull=True).update(attached_at=now):
        raise VideoRefused("upload_gone", UPLOAD_GONE)
    attach_video(video=video, audience=audience, shown_with=shown_with, now=now)


def attach_video(*, video: VideoAsset, audience: str, shown_with: VideoAsset | None = None, now: datetime) -> None:
    """Say what the video is for: from here on `audience`, or whoever sees `shown_with`, sees it too.

    Raises ValueError when `shown_with` is of another class: its class would see the video, and this one's not.
    """
    if shown_with and shown_with.classroom_id != video.classroom_id:
        raise ValueError("A video is shown with a video of its own class only.")
    video.audience = audience
    video.shown_with = shown_with
    video.attached_at = now
    video.save(update_fields=["audience", "shown_with", "attached_at"])


def refuse_video(*, video: VideoAsset, code: str, now: datetime) -> None:
    """Say that what came is no video. Its row stays and tells why; its bytes go after the commit."""
    with transaction.atomic():
        checking = VideoAsset.objects.filter(pk=video.pk, state=VideoAsset.State.CHECKING)
        if checking.update(state=VideoAsset.State.FAILED, failure_code=code, storage_path="", size_bytes=0):
            request_deletion(storage_paths=[video.storage_path], now=now)


def delete_video_asset(*, video: VideoAsset, now: datetime) -> None:
    """Delete a video that nothing uses any more, and its objects after the commit; ProtectedError when it is used."""
    with transaction.atomic():
        paths = [video.storage_path, *video.renditions.values_list("storage_path", flat=True)]
        Upload.objects.filter(video=video).delete()
        video.jobs.all().delete()
        video.renditions.all().delete()
        video.delete()
        request_deletion(storage_paths=filter(None, paths), now=now)


def abandon_upload(*, upload: Upload, now: datetime, at_once: bool = True) -> None:
    """Give an unfinished upload up and remove what was stored of it, or leave that to the sweep.

    One that is complete stays as it is.
    """
    with transaction.atomic():
        unfinished = Upload.objects.filter(pk=upload.pk, state__in=Upload.UNFINISHED)
        if unfinished.update(state=Upload.State.ABORTED, reserved_bytes=0):
            request_deletion(storage_paths=[upload.storage_path], now=now, at_once=at_once)


def _count_failure(code: str) -> None:
    UPLOADS.add("failed", WAY)
    UPLOAD_FAILURES.add(code)


def _open_upload(received: ReceivedVideo, *, owner: "User", classroom: "Classroom", now: datetime) -> Upload:
    """Reserve room for the video; the owner's row is locked, so two uploads at once cannot both take the last of it."""
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=owner.pk)
        check_quotas(owner=owner, classroom=classroom, size_bytes=received.size)
        return Upload.objects.create(
            owner=owner,
            classroom=classroom,
            client_token=uuid.uuid4().hex,
            storage_path=new_key(now),
            backend=VideoStorageService().backend.name,
            original_name=received.name,
            declared_size_bytes=received.size,
            reserved_bytes=received.size,
            expected_sha256=received.checksum_sha256,
            created_at=now,
            last_activity_at=now,
        )


def _store(
    upload: Upload,
    received: ReceivedVideo,
    poster_path: Path,
    facts: VideoFacts,
    *,
    name: str,
    description: str,
    now: datetime,
) -> VideoAsset:
    VideoStorageService().adopt_video(received.path, storage_path=upload.storage_path, mime_type=facts.mime_type)
    poster = store_file(poster_path, mime_type="image/jpeg", now=now)
    with transaction.atomic():
        video = VideoAsset.objects.create(
            owner_id=upload.owner_id,
            classroom_id=upload.classroom_id,
            name=name,
            description=description,
            storage_path=upload.storage_path,
            original_name=received.name,
            size_bytes=received.size,
            checksum_sha256=received.checksum_sha256,
            state=VideoAsset.State.READY,
            created_at=now,
            **asdict(facts),
        )
        record_rendition(video=video, kind=Rendition.Kind.POSTER, stored=poster, now=now)
        Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN).update(
            state=Upload.State.COMPLETE, video=video, reserved_bytes=0
        )
        queue_processing(video=video, now=now)
        record_event(action="video.stored", actor=upload.owner, subject=video, classroom=upload.classroom)
    return video
