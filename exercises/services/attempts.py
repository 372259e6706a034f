"""A learner's attempts and the instructor's answer: draft → submitted → redo or passed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from core.models import VideoAsset
from core.received import ReceivedVideo
from core.services.audit import record_event
from core.services.videos import attach_new_video, attach_video, delete_video_asset, take_video
from exercises.models import Attempt, Exercise


class AttemptNotPossible(Exception):
    """The attempt's state does not allow this; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def refusal_to_attempt(*, exercise: Exercise, newest: Attempt | None) -> str:
    """Return why no new video can be sent now, or "" when one can: a draft's is replaced, a redo starts the next."""
    if exercise.state != Exercise.State.PUBLISHED:
        return "This exercise takes no attempts now."
    if newest and newest.state == Attempt.State.SUBMITTED:
        return "Your attempt waits for review. Take it back to send another one."
    if newest and newest.state == Attempt.State.PASSED:
        return "You passed this exercise."
    return ""


def save_attempt(*, exercise: Exercise, learner: User, video: ReceivedVideo | UUID, now: datetime) -> Attempt:
    """Return the learner's draft with this video: a new attempt, or the draft there was with its video replaced.

    Only its learner sees it. Raises AttemptNotPossible and what `take_video` raises; a file the form brought is not
    kept then, and an uploaded one goes with the sweep.
    """
    _refuse_unless_possible(exercise, learner)
    taken = take_video(given=video, owner=learner, classroom=exercise.classroom, name=exercise.name, now=now)
    try:
        attempt, replaced = _save_draft(exercise, learner, taken, now)
    except AttemptNotPossible:
        if isinstance(video, ReceivedVideo):
            delete_video_asset(video=taken, now=now)
        raise
    if replaced:
        _delete_draft_video(replaced, now=now)
    return attempt


def submit_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Hand a draft in: from here on the class's instructors, or the class, see its video."""
    with transaction.atomic():
        _claim(attempt, Attempt.State.DRAFT, state=Attempt.State.SUBMITTED, submitted_at=now)
        peers = attempt.exercise.review_mode == Exercise.ReviewMode.PEERS
        audience = VideoAsset.Audience.CLASSROOM if peers else VideoAsset.Audience.INSTRUCTORS
        attach_video(video=attempt.video, audience=audience, now=now)
        _record("attempt.submitted", attempt, attempt.learner)


def withdraw_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Take an attempt back before it is reviewed: it is a draft again, seen by its learner alone."""
    with transaction.atomic():
        _claim(attempt, Attempt.State.SUBMITTED, state=Attempt.State.DRAFT, submitted_at=None)
        attach_video(video=attempt.video, audience=VideoAsset.Audience.OWNER, now=now)
        _record("attempt.withdrawn", attempt, attempt.learner)


def review_attempt(*, attempt: Attempt, verdict: str, by: User, now: datetime) -> None:
    """Answer a submitted attempt with `redo` or `passed`; the first answer stands."""
    with transaction.atomic():
        _claim(attempt, Attempt.State.SUBMITTED, state=verdict, reviewed_at=now, reviewed_by=by)
        _record(f"attempt.{verdict}", attempt, by)


def delete_draft(*, attempt: Attempt, now: datetime) -> None:
    """Delete a draft with its video; a submitted attempt is withdrawn first."""
    with transaction.atomic():
        if not Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.DRAFT).delete()[0]:
            raise AttemptNotPossible("Only a draft can be deleted. Take the attempt back first.")
        _record("attempt.deleted", attempt, attempt.learner)
        _delete_draft_video(attempt.video, now=now)


def _refuse_unless_possible(exercise: Exercise, learner: User) -> Attempt | None:
    attempts = Attempt.objects.filter(exercise=exercise, learner=learner)
    newest = attempts.select_related("video").order_by("-number").first()
    if sentence := refusal_to_attempt(exercise=exercise, newest=newest):
        raise AttemptNotPossible(sentence)
    return newest


def _save_draft(
    exercise: Exercise, learner: User, video: VideoAsset, now: datetime
) -> tuple[Attempt, VideoAsset | None]:
    """Return the draft and the video it no longer uses. The learner's row is locked: two tabs make one draft."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=learner.pk)
        newest = _refuse_unless_possible(exercise, learner)
        attach_new_video(video=video, audience=VideoAsset.Audience.OWNER, now=now)
        if newest and newest.state == Attempt.State.DRAFT:
            replaced, newest.video, newest.reference = newest.video, video, exercise.reference
            newest.save(update_fields=["video", "reference"])
            return newest, replaced
        numbers = Attempt.objects.filter(exercise=exercise, learner=learner).aggregate(last=Max("number"))
        attempt = Attempt.objects.create(
            exercise=exercise,
            learner=learner,
            number=(numbers["last"] or 0) + 1,
            video=video,
            reference=exercise.reference,
            created_at=now,
        )
        _record("attempt.created", attempt, learner)
    return attempt, None


def _claim(attempt: Attempt, expected: str, **changes: object) -> None:
    """Change the attempt if it is still as expected; one row changed means it is ours."""
    if not Attempt.objects.filter(pk=attempt.pk, state=expected).update(**changes):
        raise AttemptNotPossible("This attempt has changed meanwhile, and nothing was done. This is how it stands now.")
    for field, value in changes.items():
        setattr(attempt, field, value)


def _delete_draft_video(video: VideoAsset, *, now: datetime) -> None:
    """Delete a draft's video with its learner's own notes; where others said something, it stays for them."""
    if video.comments.exclude(author=video.owner).exists():
        return
    for comment in video.comments.select_related("video").order_by("-created_at", "pk"):  # replies come first
        comment.delete()
        if comment.video:
            delete_video_asset(video=comment.video, now=now)
    delete_video_asset(video=video, now=now)


def _record(action: str, attempt: Attempt, actor: User) -> None:
    record_event(action=action, actor=actor, subject=attempt, classroom=attempt.exercise.classroom)
