"""Writing, changing, and deleting comments."""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.db import transaction

from accounts.models import Membership, User
from comments.models import Comment
from core.models import VideoAsset
from core.received import ReceivedVideo
from core.services.audit import record_event
from core.services.videos import attach_new_video, delete_video_asset, take_video

SAID_TWICE = timedelta(seconds=10)


def write_comment(
    *,
    target: VideoAsset,
    author: User,
    text: str = "",
    at_ms: int | None = None,
    video: ReceivedVideo | UUID | None = None,
    parent: Comment | None = None,
    now: datetime,
) -> Comment:
    """Return a new comment; its video is seen by whoever sees the target. Raises what `take_video` raises.

    The same words about the same, sent again at once (a double click), are the comment there is already.
    """
    said = {"target": target, "author": author, "parent": parent, "at_ms": at_ms, "text": text}
    taken = take_video(given=video, owner=author, classroom=target.classroom, now=now) if video else None
    with transaction.atomic():
        User.objects.select_for_update().get(pk=author.pk)  # one after the other, or both would look too early
        same = Comment.objects.filter(**said, video=None, deleted_at=None, created_at__gt=now - SAID_TWICE)
        if not taken and (comment := same.order_by("created_at", "pk").first()):
            return comment
        if taken:
            attach_new_video(video=taken, audience=VideoAsset.Audience.OWNER, shown_with=target, now=now)
        comment = Comment.objects.create(**said, video=taken, created_at=now)
        record_event(action="comment.written", actor=author, subject=comment, classroom=target.classroom)
    return comment


def edit_comment(*, comment: Comment, text: str, now: datetime) -> None:
    """Change what a comment says."""
    comment.text, comment.edited_at = text, now
    comment.save(update_fields=["text", "edited_at"])


def delete_comment(*, comment: Comment, by: User, now: datetime) -> None:
    """Delete a comment with its video; one with replies is blanked, so that they keep their place."""
    video = comment.video
    with transaction.atomic():
        record_event(action="comment.deleted", actor=by, subject=comment, classroom=comment.target.classroom)
        if comment.replies.exists():
            comment.text, comment.drawing, comment.video, comment.deleted_at = "", None, None, now
            comment.save(update_fields=["text", "drawing", "video", "deleted_at"])
        else:
            comment.delete()
        if video:
            delete_video_asset(video=video, now=now)


class Written(Protocol):
    """What of a comment decides who may do what."""

    @property
    def author_id(self) -> UUID: ...  # noqa: D102
    @property
    def deleted_at(self) -> datetime | None: ...  # noqa: D102


def may_edit(*, comment: Written, user: User) -> bool:
    """Return whether `user` wrote the comment and it is still there."""
    return comment.deleted_at is None and comment.author_id == user.pk


def may_delete(*, comment: Written, user: User, teaches: bool) -> bool:
    """Return whether `user` may delete the comment: its author, an instructor of the class, or staff."""
    return comment.deleted_at is None and (comment.author_id == user.pk or teaches or user.is_staff)


def instructor_ids(classroom_id: UUID) -> set[UUID]:
    """Return the keys of a class's instructors."""
    members = Membership.objects.instructors().filter(classroom=classroom_id)
    return set(members.values_list("user_id", flat=True))
