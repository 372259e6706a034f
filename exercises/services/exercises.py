"""Making, publishing, changing, and removing exercises."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError

from core.models import VideoAsset
from core.received import ReceivedVideo
from core.services.audit import record_event
from core.services.videos import attach_new_video, attach_video, delete_video_asset, take_video
from exercises.models import Exercise

if TYPE_CHECKING:
    from accounts.models import Classroom, User


def create_exercise(
    *,
    video: ReceivedVideo | UUID,
    classroom: "Classroom",
    by: "User",
    name: str,
    description: str = "",
    review_mode: str = Exercise.ReviewMode.PRIVATE,
    due_at: datetime | None = None,
    now: datetime,
) -> Exercise:
    """Return a new draft that the class's instructors see. Raises what `take_video` raises."""
    reference = take_video(given=video, owner=by, classroom=classroom, name=name, now=now)
    with transaction.atomic():
        exercise = Exercise.objects.create(
            classroom=classroom,
            created_by=by,
            name=name,
            description=description,
            reference=reference,
            review_mode=review_mode,
            due_at=due_at,
            created_at=now,
        )
        attach_new_video(video=reference, audience=VideoAsset.Audience.INSTRUCTORS, now=now)
        record_event(action="exercise.created", actor=by, subject=exercise, classroom=classroom)
    return exercise


def edit_exercise(
    *,
    exercise: Exercise,
    by: "User",
    name: str,
    description: str,
    review_mode: str,
    due_at: datetime | None,
) -> None:
    """Change what an exercise says. A new review mode holds for attempts submitted from now on."""
    exercise.name, exercise.description = name, description
    exercise.review_mode, exercise.due_at = review_mode, due_at
    with transaction.atomic():
        exercise.save(update_fields=["name", "description", "review_mode", "due_at"])
        record_event(action="exercise.edited", actor=by, subject=exercise, classroom=exercise.classroom)


def publish_exercise(*, exercise: Exercise, by: "User", now: datetime) -> None:
    """Show a draft or an archived exercise, and its reference video, to the whole class."""
    _change_state(exercise, Exercise.State.PUBLISHED, VideoAsset.Audience.CLASSROOM, by=by, now=now)


def unpublish_exercise(*, exercise: Exercise, by: "User", now: datetime) -> None:
    """Take a published exercise back to the instructors; attempts at it stay."""
    _change_state(exercise, Exercise.State.DRAFT, VideoAsset.Audience.INSTRUCTORS, by=by, now=now)


def replace_reference(*, exercise: Exercise, video: ReceivedVideo | UUID, by: "User", now: datetime) -> None:
    """Give an exercise another reference video. Attempts keep the one they were made for, and its comments."""
    new = take_video(given=video, owner=by, classroom=exercise.classroom, name=exercise.name, now=now)
    with transaction.atomic():
        exercise = Exercise.objects.select_for_update().select_related("reference").get(pk=exercise.pk)
        old, exercise.reference = exercise.reference, new
        exercise.save(update_fields=["reference"])
        attach_new_video(video=new, audience=old.audience, now=now)
        record_event(action="exercise.video_replaced", actor=by, subject=exercise, classroom=exercise.classroom)
    _delete_if_unused(old, now=now)


def delete_exercise(*, exercise: Exercise, by: "User", now: datetime) -> bool:
    """Delete an exercise that holds nobody else's work, else archive it; return whether it was deleted."""
    if will_archive(exercise):
        _change_state(exercise, Exercise.State.ARCHIVED, VideoAsset.Audience.CLASSROOM, by=by, now=now)
        return False
    with transaction.atomic():
        record_event(action="exercise.deleted", actor=by, subject=exercise, classroom=exercise.classroom)
        reference = exercise.reference
        exercise.delete()
    _delete_if_unused(reference, now=now)
    return True


def will_archive(exercise: Exercise) -> bool:
    """Return whether deleting would take other people's work with it: attempts, or comments on the reference."""
    return exercise.attempts.exists() or exercise.reference.comments.exists()


def _change_state(exercise: Exercise, state: str, audience: str, *, by: "User", now: datetime) -> None:
    with transaction.atomic():
        exercise.state = state
        exercise.save(update_fields=["state"])
        attach_video(video=exercise.reference, audience=audience, now=now)
        record_event(action=f"exercise.{state}", actor=by, subject=exercise, classroom=exercise.classroom)


def _delete_if_unused(video: VideoAsset, *, now: datetime) -> None:
    """Delete a reference nothing points at any more; attempts and comments that do are why it stays."""
    try:
        delete_video_asset(video=video, now=now)
    except ProtectedError:
        return
