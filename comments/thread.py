"""The thread of one video, ready to be shown: two queries whatever its length, two more if videos are in it."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from accounts.models import Classroom
from comments.models import Comment
from comments.services import instructor_ids, may_delete, may_edit
from core.models import VideoAsset

if TYPE_CHECKING:
    from accounts.models import User


class Row(NamedTuple):
    """What a thread shows of a comment; times in it are milliseconds as the player shows them."""

    pk: UUID
    parent_id: UUID | None
    author_id: UUID
    author__name: str
    at_ms: int | None
    end_ms: int | None
    text: str
    video_id: UUID | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class Said(NamedTuple):
    """A comment as its reader sees it, with what they may do with it and the replies to it, the oldest first."""

    row: Row
    by_instructor: bool
    may_edit: bool
    may_delete: bool
    video: VideoAsset | None
    replies: list["Said"]


def thread_of(video: VideoAsset, user: "User") -> list[Said]:
    """Return the comments at the top, by moment; those about the whole video come last."""
    rows = [Row(*row) for row in Comment.objects.filter(target=video).values_list(*Row._fields)]
    rows.sort(key=lambda row: (row.created_at, str(row.pk)))
    instructors, videos = instructor_ids(video.classroom_id), _videos(rows)
    said = {row.pk: _said(row, user, instructors, videos) for row in rows}
    for one in said.values():
        if one.row.parent_id in said:
            said[one.row.parent_id].replies.append(one)
    top = [one for one in said.values() if one.row.parent_id is None]
    return sorted(top, key=lambda one: (one.row.at_ms is None, one.row.at_ms or 0))


def _said(row: Row, user: "User", instructors: set[UUID], videos: dict[UUID, VideoAsset]) -> Said:
    return Said(
        row=row,
        by_instructor=row.author_id in instructors,
        may_edit=may_edit(comment=row, user=user),
        may_delete=may_delete(comment=row, user=user, teaches=user.pk in instructors),
        video=videos[row.video_id] if row.video_id else None,
        replies=[],
    )


def _videos(rows: Iterable[Row]) -> dict[UUID, VideoAsset]:
    keys = [row.video_id for row in rows if row.video_id]
    return VideoAsset.objects.prefetch_related("jobs").in_bulk(keys) if keys else {}


def teaches(user: "User", video: VideoAsset) -> bool:
    """Return whether `user` teaches the class of `video`."""
    return Classroom.objects.taught_by(user).filter(pk=video.classroom_id).exists()
