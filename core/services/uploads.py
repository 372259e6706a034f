"""Uploads in parts: opening one, asking what is held, giving it up. `part_links` signs parts, `completion` ends it.

# Note [What is reserved]
Room is taken before bytes may come: an upload of known size takes its whole size when it opens, a recording takes
what its parts up to the signed one need. The row counts against the quotas (`reserved_bytes`), the storage holds the
disk blocks, and both happen before a part is signed, so a part that was signed has its place.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from core.models import Upload
from core.received import display_name
from core.refusals import VideoRefused
from core.services.audit import record_event
from core.services.deletions import request_deletion
from core.services.part_storage import part_storage
from core.services.quotas import check_quotas
from core.storage.keys import new_key
from core.storage.parts import (
    PartedUpload,
    PartStorage,
    UploadNotHeld,
    part_size,
)
from core.telemetry.catalog import UPLOAD_FAILURES, UPLOADS

if TYPE_CHECKING:
    from accounts.models import Classroom, User

logger = logging.getLogger(__name__)
State = Upload.State
WAY = "parts"


class TooLarge(VideoRefused):
    """The video is, or would become, larger than a video may be."""


class TokenReused(VideoRefused):
    """The client's token names another upload already."""


class UploadOver(VideoRefused):
    """The upload was given up, swept, or lies in a storage that is not used any more: begin a new one."""


class UploadFinished(VideoRefused):
    """The upload is complete, or being completed: its parts stay as they are."""


def open_upload(
    *,
    owner: "User",
    classroom: "Classroom",
    client_token: str,
    file_name: str,
    mime_type: str,
    size_bytes: int | None,
    now: datetime,
) -> tuple[Upload, bool]:
    """Return the owner's upload with that token, and whether it is new. `size_bytes` None: a recording.

    Raises TooLarge, TokenReused, QuotaExceeded, TooManyUploads, and StorageUnavailable (asked again, it goes on).
    """
    if (size_bytes or 0) > settings.MAX_VIDEO_BYTES:
        raise too_large()
    storage = part_storage()
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=owner.pk)
        upload = Upload.objects.filter(owner=owner, client_token=client_token).first()
        is_new = upload is None
        if upload is None:
            check_quotas(owner=owner, classroom=classroom, size_bytes=size_bytes or 0)
            upload = Upload.objects.create(
                owner=owner,
                classroom=classroom,
                client_token=client_token,
                storage_path=new_key(now),
                backend=storage.name,
                original_name=display_name(file_name),
                mime_type=mime_type,
                declared_size_bytes=size_bytes,
                reserved_bytes=size_bytes or 0,
                part_size_bytes=part_size(storage, size_bytes, largest_bytes=settings.MAX_VIDEO_BYTES),
                created_at=now,
                last_activity_at=now,
            )
            record_event(action="upload.opened", actor=owner, subject=upload, classroom=classroom)
    if upload.classroom_id != classroom.pk or (size_bytes and upload.declared_size_bytes != size_bytes):
        raise TokenReused("token_reused", "Another upload has this token already. Choose a new one.")
    if upload.state == State.OPEN:
        _begin(upload, storage)
    if is_new:
        UPLOADS.add("opened", WAY)
        logger.info("Video upload started", extra=log_fields(upload))
    return upload, is_new


def held_parts(*, upload: Upload) -> dict[int, int]:
    """Return the parts the storage holds of an unfinished upload, number → bytes; may raise StorageUnavailable."""
    if upload.state not in (State.OPEN, State.COMPLETING) or not upload.backend_upload_id:
        return {}
    try:
        return storage_of(upload).held(parted(upload))
    except (UploadNotHeld, UploadOver):
        return {}


def abort_upload(*, upload: Upload, by: "User | None", now: datetime, idle_since: datetime | None = None) -> bool:
    """Give an open upload up and remove its parts; safe to repeat. False when it is alive again since `idle_since`.

    Raises UploadFinished; PartBusy and StorageUnavailable leave it *aborting*, and the sweep goes on.
    """
    candidates = Upload.objects.filter(pk=upload.pk, state=State.OPEN)
    if idle_since is not None:
        candidates = candidates.filter(last_activity_at__lt=idle_since)
    candidates.update(state=State.ABORTING)
    upload.refresh_from_db()
    if upload.state in (State.COMPLETING, State.COMPLETE):
        raise finished()
    if upload.state != State.ABORTING:
        return upload.state == State.ABORTED
    storage = part_storage()
    if upload.backend_upload_id and upload.backend == storage.name:  # what lies elsewhere is swept from there
        storage.discard(parted(upload))
    with transaction.atomic():
        if Upload.objects.filter(pk=upload.pk, state=State.ABORTING).update(state=State.ABORTED, reserved_bytes=0):
            request_deletion(storage_paths=[upload.storage_path], now=now)
            record_event(action="upload.aborted", actor=by, subject=upload, classroom=upload.classroom)
            code = "aborted" if by else "abandoned"
            logger.info("Video upload failed", extra={**log_fields(upload), "code": code})
            UPLOADS.add("failed", WAY)
            UPLOAD_FAILURES.add(code)
    return True


def require_open(upload: Upload) -> None:
    """Raise UploadFinished or UploadOver unless parts may still come."""
    if upload.state in (State.COMPLETING, State.COMPLETE):
        raise finished()
    if upload.state != State.OPEN:
        raise over()


def finished() -> UploadFinished:
    """Return the refusal of a change after the end."""
    return UploadFinished("finished", "This upload is complete already. Nothing was changed.")


def over() -> UploadOver:
    """Return the refusal of an upload that is gone."""
    return UploadOver("upload_over", "This upload was canceled or has expired. Choose the video again.")


def too_large() -> TooLarge:
    """Return the refusal of a video that is, or would become, too large."""
    limit = filesizeformat(settings.MAX_VIDEO_BYTES)
    return TooLarge("too_large", f"A video may have up to {limit}. Choose a shorter one.")


def storage_of(upload: Upload) -> PartStorage:
    """Return the storage of the upload's parts; UploadOver when the site stores elsewhere by now."""
    storage = part_storage()
    if storage.name != upload.backend or not upload.part_size_bytes:
        raise over()
    return storage


def parted(upload: Upload) -> PartedUpload:
    """Return the upload as its storage knows it."""
    return PartedUpload(upload.storage_path, upload.backend_upload_id, upload.part_size_bytes)


def log_fields(upload: Upload) -> dict[str, object]:
    """Return the fields of a line about an upload."""
    return {"upload_id": str(upload.pk), "size_bytes": upload.declared_size_bytes, "file_name": upload.original_name}


def _begin(upload: Upload, storage: PartStorage) -> None:
    """Let the storage make room, once: of two callers at once, the second takes its own room back."""
    if upload.backend_upload_id:
        return
    begun = storage.begin(upload.storage_path)
    if not Upload.objects.filter(pk=upload.pk, backend_upload_id="").update(backend_upload_id=begun):
        upload.refresh_from_db()
        if upload.backend_upload_id != begun:
            storage.discard(PartedUpload(upload.storage_path, begun, upload.part_size_bytes))
    upload.backend_upload_id = upload.backend_upload_id or begun
