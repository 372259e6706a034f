"""The thread of one video, ready to be shown: two queries whatever its length."""

from typing import TYPE_CHECKING

from accounts.models import Classroom
from comments.models import Comment
from comments.services import instructor_ids, may_delete, may_edit
from core.models import VideoAsset

if TYPE_CHECKING:
    from accounts.models import User


def thread_of(video: VideoAsset, user: "User") -> list[Comment]:
    """Return the comments at the top, by moment, each with `thread_replies` and what `user` may do."""
    rows = Comment.objects.filter(target=video).select_related("author", "video").order_by("at_ms", "created_at", "pk")
    rows = rows.prefetch_related("video__jobs")
    instructors = instructor_ids(video.classroom_id)
    comments = list(rows)
    for comment in comments:
        comment.by_instructor = comment.author_id in instructors
        comment.may_edit = may_edit(comment=comment, user=user)
        comment.may_delete = may_delete(comment=comment, user=user, teaches=user.pk in instructors)
        comment.thread_replies = []
    top = {comment.pk: comment for comment in comments if comment.parent_id is None}
    for comment in sorted(comments, key=lambda comment: (comment.created_at, str(comment.pk))):
        if comment.parent_id in top:
            top[comment.parent_id].thread_replies.append(comment)
    return sorted(
        top.values(),
        key=lambda comment: (comment.at_ms is None, comment.at_ms or 0, comment.created_at, str(comment.pk)),
    )


def teaches(user: "User", video: VideoAsset) -> bool:
    """Return whether `user` teaches the class of `video`."""
    return Classroom.objects.taught_by(user).filter(pk=video.classroom_id).exists()
