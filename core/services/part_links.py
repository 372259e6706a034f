"""Signing parts: the links by which their bytes may come, and the room they will need.

# Note [Signs of life]
The sweep asks for a day without activity, so a row that was touched a few minutes ago is not written again: signing
then only reads. Should the upload be given up in that moment, its links lead nowhere: the storage refuses them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from core.models import Upload
from core.refusals import VideoRefused
from core.services.quotas import check_room
from core.services.uploads import State, over, parted, require_open, storage_of, too_large
from core.storage.parts import LINK_LIVES, MAX_PARTS, PartRequest, SignedPart, UploadNotHeld, part_bytes, part_count
from core.telemetry.catalog import UPLOAD_PARTS

SEEN_EVERY = timedelta(minutes=5)


class WrongPart(VideoRefused):
    """There is no part of that number, or it has another size."""


@dataclass(frozen=True)
class PartWish:
    """A part that somebody wants to send; `sha256` (hex) may be empty."""

    number: int
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class PartLink:
    """The request that brings a part, and until when."""

    number: int
    signed: SignedPart
    expires_at: datetime


def sign_parts(*, upload: Upload, wishes: list[PartWish], now: datetime) -> list[PartLink]:
    """Return the links that bring these parts; room for all is reserved (Note [What is reserved] in `uploads`).

    Raises WrongPart, TooLarge, QuotaExceeded, UploadOver, UploadFinished, StorageFull, StorageUnavailable, PartBusy.
    """
    require_open(upload)
    storage = storage_of(upload)
    for wish in wishes:
        _check_part(upload, wish)
    ends = [(wish.number - 1) * upload.part_size_bytes + wish.size_bytes for wish in wishes]
    up_to = upload.declared_size_bytes or max(ends)
    _reserve(upload, up_to, now)
    try:
        storage.reserve(parted(upload), up_to)
    except UploadNotHeld as error:
        raise over() from error
    UPLOAD_PARTS.add("signed", amount=len(wishes))
    expires_at = now + LINK_LIVES
    requests = [PartRequest(wish.number, wish.size_bytes, wish.sha256, expires_at) for wish in wishes]
    return [PartLink(each.number, storage.sign(parted(upload), each, now=now), expires_at) for each in requests]


def _check_part(upload: Upload, wish: PartWish) -> None:
    size, whole, number = upload.declared_size_bytes, upload.part_size_bytes, wish.number
    last = MAX_PARTS if size is None else part_count(size, whole)
    if not 1 <= number <= last:
        raise WrongPart("wrong_number", f"There is no part {number}: they are numbered from 1 to {last}.")
    wanted = None if size is None else part_bytes(number, size, whole)
    if wish.size_bytes > whole or (wanted is not None and wish.size_bytes != wanted):
        raise WrongPart("wrong_size", f"Part {number} has {wanted or whole} bytes, not {wish.size_bytes}.")


def _reserve(upload: Upload, up_to: int, now: datetime) -> None:
    """Grow what the row reserves, and show that the upload is alive (Note [Signs of life])."""
    if up_to > settings.MAX_VIDEO_BYTES:
        raise too_large()
    if up_to <= upload.reserved_bytes and now - upload.last_activity_at < SEEN_EVERY:
        return
    with transaction.atomic():
        still_open = Upload.objects.filter(pk=upload.pk, state=State.OPEN)
        if up_to > upload.reserved_bytes:
            get_user_model().objects.select_for_update().get(pk=upload.owner_id)
            reserved = still_open.values_list("reserved_bytes", flat=True).first() or 0
            if up_to > reserved:
                check_room(owner=upload.owner, classroom=upload.classroom, size_bytes=up_to - reserved)
                still_open.update(reserved_bytes=up_to)
        if not still_open.update(last_activity_at=now):
            upload.refresh_from_db()
            require_open(upload)
