"""The end of an upload in parts: its bytes become one durable object, and then a video that waits to be checked.

# Note [First bytes, then the row]
Completing is: row open → completing, the storage makes the parts one durable object, then in one transaction row
completing → complete, with the VideoAsset and its check queued. Each step may be repeated by anybody at any time, and
finds out by looking how far it is: a process killed anywhere, a lost reply, and twenty calls at once all end in the
same one video, because only one UPDATE can make the row complete.

# Note [Neither here nor there]
A bucket may need minutes to put large parts together, long after our request for it has timed out. Meanwhile it may
know neither the upload nor the object. So within SETTLES_WITHIN that means "ask again", and only later "lost".
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from core.models import Upload, VideoAsset
from core.refusals import VideoRefused
from core.services.audit import record_event
from core.services.deletions import request_deletion
from core.services.processing import queue_verification
from core.services.uploads import WAY, State, TooLarge, held_parts, log_fields, over, parted, storage_of
from core.storage.base import StorageBusy
from core.storage.parts import PartsBeyondEnd, PartsMissing, UploadNotHeld, check_parts
from core.telemetry.catalog import UPLOAD_BYTES, UPLOADS

logger = logging.getLogger(__name__)
SETTLES_WITHIN = timedelta(minutes=15)
STILL_JOINING = "The storage is still putting the video together. Nothing is lost; ask again in a moment."
UNKNOWN_TYPE = "application/octet-stream"


class OtherWhole(VideoRefused):
    """The upload was said to have, or was completed with, another size or SHA-256."""


def complete_upload(*, upload: Upload, size_bytes: int, sha256: str, now: datetime) -> tuple[VideoAsset, bool]:
    """Return the video of the upload, and whether this call made it (Note [First bytes, then the row]).

    Raises OtherWhole, UploadOver, PartsMissing and PartsBeyondEnd (the upload stays open), PartBusy, and
    StorageUnavailable (the upload stays *completing*: call again).
    """
    _check_whole(upload, size_bytes, sha256)
    if upload.state == State.OPEN:
        _check_parts(upload, size_bytes)
        fields = {"state": State.COMPLETING, "last_activity_at": now, "declared_size_bytes": size_bytes}
        begun = Upload.objects.filter(pk=upload.pk, state=State.OPEN).update(**fields, expected_sha256=sha256)
        upload.refresh_from_db()
        if not begun:
            _check_whole(upload, size_bytes, sha256)
    return settle_upload(upload=upload, now=now)


def _check_parts(upload: Upload, size_bytes: int) -> None:
    try:
        check_parts(held_parts(upload=upload), size_bytes, upload.part_size_bytes)
    except PartsMissing:
        upload.refresh_from_db()  # they were there if somebody gave the upload up meanwhile, or completed it
        if upload.state == State.OPEN:
            raise
        if upload.state in {State.ABORTING, State.ABORTED}:
            raise over() from None


def settle_upload(*, upload: Upload, now: datetime) -> tuple[VideoAsset, bool]:
    """Bring an upload that is *completing* (or complete) to its end; raises as `complete_upload` does."""
    if upload.video:
        return upload.video, False
    if upload.state != State.COMPLETING or upload.declared_size_bytes is None:
        raise over()
    try:
        storage_of(upload).finish(parted(upload), upload.declared_size_bytes)
    except (PartsMissing, PartsBeyondEnd, UploadNotHeld) as error:
        return _not_finished(upload, error, now)
    return _record(upload, now)


def _check_whole(upload: Upload, size_bytes: int, sha256: str) -> None:
    if size_bytes > settings.MAX_VIDEO_BYTES:
        raise TooLarge("too_large", "This is more than a video may have.")
    if upload.declared_size_bytes not in (None, size_bytes):
        raise OtherWhole("other_size", f"This upload has {upload.declared_size_bytes} bytes, not {size_bytes}.")
    if upload.state != State.OPEN and upload.expected_sha256 and sha256 not in ("", upload.expected_sha256):
        raise OtherWhole("other_sha256", "This upload was completed with another SHA-256.")


def _not_finished(upload: Upload, error: Exception, now: datetime) -> tuple[VideoAsset, bool]:
    """Open the upload again for its missing parts, unless another caller has completed it meanwhile."""
    if isinstance(error, UploadNotHeld) and now - upload.last_activity_at < SETTLES_WITHIN:
        upload.refresh_from_db()
        if upload.video:
            return upload.video, False
        raise StorageBusy(STILL_JOINING) from error  # Note [Neither here nor there]
    Upload.objects.filter(pk=upload.pk, state=State.COMPLETING).update(state=State.OPEN)
    upload.refresh_from_db()
    if upload.video:
        return upload.video, False
    if isinstance(error, UploadNotHeld):
        raise over() from error
    raise error


def _record(upload: Upload, now: datetime) -> tuple[VideoAsset, bool]:
    """Make the rows, if nobody else did; an upload given up meanwhile leaves no object behind."""
    try:
        with transaction.atomic():
            video = _create_video(upload, now)
            # From *open* too: another caller may have looked a moment before the last byte was there.
            mine = Upload.objects.filter(pk=upload.pk, state__in=[State.COMPLETING, State.OPEN])
            if not mine.update(state=State.COMPLETE, video=video, reserved_bytes=0, last_activity_at=now):
                raise _NotMine
            queue_verification(video=video, now=now)
            record_event(action="upload.completed", actor=upload.owner, subject=upload, classroom=upload.classroom)
    except _NotMine:
        upload.refresh_from_db()
        if upload.video:
            return upload.video, False
        request_deletion(storage_paths=[upload.storage_path], now=now)
        raise over() from None
    logger.info("Video upload completed", extra={**log_fields(upload), "video_id": str(video.pk)})
    UPLOADS.add("completed", WAY)
    if settings.USE_S3:  # their parts never came by here
        UPLOAD_BYTES.add("s3", amount=video.size_bytes)
    upload.refresh_from_db()
    return video, True


class _NotMine(Exception):
    """Another caller was first: the transaction is rolled back."""


def _create_video(upload: Upload, now: datetime) -> VideoAsset:
    return VideoAsset.objects.create(
        owner_id=upload.owner_id,
        classroom_id=upload.classroom_id,
        storage_path=upload.storage_path,
        original_name=upload.original_name,
        size_bytes=upload.declared_size_bytes or 0,  # known since it is *completing*
        mime_type=upload.mime_type or UNKNOWN_TYPE,
        state=VideoAsset.State.CHECKING,
        created_at=now,
    )
