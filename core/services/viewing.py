"""Staff may see every video; that they looked is written down."""

from typing import TYPE_CHECKING

from django.core.cache import cache

from core.models import VideoAsset
from core.second_cache import SECOND_CACHE
from core.services.audit import record_event

if TYPE_CHECKING:
    from accounts.models import User

ONCE_S = 3600
REMEMBERED_S = 60


def audit_staff_view(*, video: VideoAsset, user: "User") -> None:
    """Record that staff looked at somebody's video, once per video and hour."""
    if not user.is_staff or video.owner_id == user.pk:
        return
    key = f"staff-view:{user.pk}:{video.pk}"
    if SECOND_CACHE.recall(key):  # a player asks for many ranges; the database's cache costs three queries each time
        return
    if cache.add(key, 1, ONCE_S):
        record_event(action="video.viewed_by_staff", actor=user, subject=video, classroom=video.classroom)
    SECOND_CACHE.remember(key, 1, REMEMBERED_S)
