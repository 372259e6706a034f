"""How much a person and a class may store."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat

from core.models import Upload, VideoAsset
from core.refusals import VideoRefused

if TYPE_CHECKING:
    from accounts.models import Classroom, User


class QuotaExceeded(VideoRefused):
    """Storing the video would take more room than the person or the class has."""


class TooManyUploads(VideoRefused):
    """The person has as many unfinished uploads as are allowed."""


def check_quotas(*, owner: "User", classroom: "Classroom", size_bytes: int) -> None:
    """Raise TooManyUploads or QuotaExceeded unless one more upload of `size_bytes` fits."""
    if Upload.objects.filter(owner=owner, state__in=Upload.UNFINISHED).count() >= settings.MAX_OPEN_UPLOADS:
        raise TooManyUploads(
            "too_many_uploads",
            f"You have {settings.MAX_OPEN_UPLOADS} unfinished uploads. Finish or cancel one, then try again.",
        )
    check_room(owner=owner, classroom=classroom, size_bytes=size_bytes)


def check_room(*, owner: "User", classroom: "Classroom", size_bytes: int) -> None:
    """Raise QuotaExceeded unless `size_bytes` more fit; unfinished uploads count as reserved."""
    unfinished = Upload.objects.filter(state__in=Upload.UNFINISHED)
    for whose, field, place, limit in (
        ("Your", "owner", owner, settings.QUOTA_USER_BYTES),
        ("This class's", "classroom", classroom, settings.QUOTA_CLASS_BYTES),
    ):
        stored = VideoAsset.objects.filter(**{field: place}).aggregate(total=Sum("size_bytes"))["total"] or 0
        coming = unfinished.filter(**{field: place}).aggregate(total=Sum("reserved_bytes"))["total"] or 0
        if stored + coming + size_bytes > limit:
            raise QuotaExceeded(
                "over_quota",
                f"{whose} storage is full: {filesizeformat(stored + coming)} of {filesizeformat(limit)} are used. "
                "Delete a video, then try again.",
            )
