"""Many people in several classes, each with a session; runs inside the site (`manage.py shell`) after seed.py."""

import json
import uuid
from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from seed import COMMENTS, copied

from accounts.models import Classroom, Membership, User
from comments.models import Comment
from exercises.models import Exercise

CLASSES, LEARNERS = 5, 9


def crowd(*, newest: str, exercises: int) -> str:
    """Make classes of an instructor and nine learners, and share so many published exercises out among them.

    The exercises are copies of the rows of `newest`; the newest of each class has as many comments, by its people.
    Returns JSON: for each person `session`, `exercise` (with the comments), and `video`, which they may see.
    """
    original = Exercise.objects.select_related("reference").get(pk=newest)
    people = []
    for number in range(CLASSES):
        classroom = Classroom.objects.create(name=f"Class {number}")
        members = [_member(classroom, number, place) for place in range(1 + LEARNERS)]
        made = [_exercise(original, classroom, members[0], place) for place in range(exercises // CLASSES)]
        _comment(made[0], members)
        shown = {"exercise": str(made[0].pk), "video": str(made[0].reference_id)}
        people += [{"session": session_of(user), **shown} for user in members]
    return json.dumps(people)


def session_of(user: User) -> str:
    """Return the key of a session in which the user is logged in."""
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session.save()
    return session.session_key


def _member(classroom: Classroom, number: int, place: int) -> User:
    email, name = f"person-{number}-{place}@example.org", f"Person {number}.{place}"
    user = User.objects.create_user(email, None, name=name, last_seen_at=timezone.now())
    role = Membership.Role.LEARNER if place else Membership.Role.INSTRUCTOR
    Membership.objects.create(user=user, classroom=classroom, role=role)
    return user


def _exercise(original: Exercise, classroom: Classroom, by: User, place: int) -> Exercise:
    made = {"classroom": classroom, "created_at": timezone.now() - timedelta(minutes=place)}
    # As one that plays everywhere and tells nothing of its maker: no worker runs here, and others would wait for one.
    video = copied(original.reference, owner=by, need="nothing", reveals_metadata=False, **made)
    for rendition in original.reference.renditions.all():
        copied(rendition, video=video)
    return copied(original, reference=video, created_by=by, name=f"{classroom} exercise {place}", **made)


def _comment(exercise: Exercise, members: list[User]) -> None:
    now = timezone.now()
    Comment.objects.bulk_create(
        Comment(
            id=uuid.uuid4(),
            target=exercise.reference,
            author=members[number % len(members)],
            text=f"Look here, {number}.",
            at_ms=100 * number,
            created_at=now + timedelta(milliseconds=number),
        )
        for number in range(COMMENTS)
    )
