"""Rows and videos to measure with; runs inside the site (`manage.py shell`)."""

import copy
import hashlib
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import Classroom, Membership, User
from accounts.services.classrooms import add_member
from comments.services import write_comment
from core.received import ReceivedVideo
from exercises.models import Exercise
from exercises.services.exercises import create_exercise, publish_exercise

COMMENTS = 20
Row = TypeVar("Row", bound=models.Model)


def seed(*, clip: Path, email: str, password: str, exercises: int) -> str:
    """Make an instructor, a class, and published exercises; return the key of the newest, which has comments.

    The newest is made by the site's own services from the video at `clip`; the others are copies of its rows.
    """
    now = timezone.now()
    ada = User.objects.create_user(email, password, name="Ada")
    classroom = Classroom.objects.create(name="Tuesday dance")
    add_member(classroom=classroom, user=ada, role=Membership.Role.INSTRUCTOR, by=ada)
    newest = create_exercise(video=_received(clip), classroom=classroom, by=ada, name="Arms on eight counts", now=now)
    publish_exercise(exercise=newest, by=ada, now=now)
    newest.refresh_from_db()
    for number in range(COMMENTS):
        write_comment(target=newest.reference, author=ada, text=f"Look here, {number}.", at_ms=100 * number, now=now)
    for number in range(1, exercises):
        _repeat(newest, name=f"Exercise {number}", created_at=now - timedelta(minutes=number))
    return str(newest.pk)


def _received(clip: Path) -> ReceivedVideo:
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    path: Path = settings.INCOMING_ROOT / str(uuid.uuid4())
    content = clip.read_bytes()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return ReceivedVideo(path=path, name=clip.name, content_type="video/mp4", size=len(content), checksum_sha256=digest)


def _repeat(exercise: Exercise, **changes: object) -> None:
    reference = exercise.reference
    video = copied(reference, created_at=changes["created_at"])
    for rendition in reference.renditions.all():
        copied(rendition, video=video)
    copied(exercise, reference=video, **changes)


def copied(row: Row, **changes: object) -> Row:
    """Store a copy of a row with another key and these changes; return it."""
    twin = copy.copy(row)
    twin._state = copy.copy(row._state)
    twin.pk, twin._state.adding = uuid.uuid4(), True
    for name, value in changes.items():
        setattr(twin, name, value)
    twin.save(force_insert=True)
    return twin
