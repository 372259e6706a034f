"""Demo data: a class with Ada and Ben, two exercises, an attempt that waits and one that was answered, comments.

The videos are real, and drawn on the spot.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from accounts.models import Classroom, Membership, User
from accounts.services.classrooms import add_member
from comments.services import write_comment
from core.media.clips import write_clip
from core.media.figure import Scene
from core.received import ReceivedVideo
from exercises.models import Attempt, Exercise
from exercises.services.attempts import review_attempt, save_attempt, submit_attempt
from exercises.services.exercises import create_exercise, publish_exercise

PASSWORD = "practise-a-little"  # noqa: S105 (shown to whoever starts the demo; production refuses it)
PORTRAIT, LANDSCAPE = (360, 640), (640, 360)


def seed_demo(*, learners: int = 1) -> None:
    """Make the demo's people, class, exercises, attempts, and comments; `learners` counts Ben."""
    now = timezone.now()
    classroom, ada, ben = _make_class(learners)
    arms, steps = _make_exercises(classroom, ada, now)
    _answer_steps(steps, ada, ben, now)
    _wait_for_review(arms, ben, now)


def _make_class(learners: int) -> tuple[Classroom, User, User]:
    admin = User.objects.create_superuser("admin@example.org", PASSWORD, name="Sam (staff)")
    here = timezone.now()  # so that no digest is due while the demo is looked at
    ada = User.objects.create_user("ada@example.org", PASSWORD, name="Ada", last_seen_at=here)
    ben = User.objects.create_user("ben@example.org", PASSWORD, name="Ben", last_seen_at=here)
    User.objects.create_user("cyd@example.org", PASSWORD, name="Cyd")
    classroom = Classroom.objects.create(name="Tuesday dance", time_zone="Europe/Paris")
    add_member(classroom=classroom, user=ada, role=Membership.Role.INSTRUCTOR, by=admin)
    for person in [ben, *_more_learners(learners - 1)]:
        add_member(classroom=classroom, user=person, role=Membership.Role.LEARNER, by=admin)
    return classroom, ada, ben


def _make_exercises(classroom: Classroom, ada: User, now: datetime) -> tuple[Exercise, Exercise]:
    arms = create_exercise(
        video=_clip(Scene(PORTRAIT), PORTRAIT, "arms.mp4"),
        classroom=classroom,
        by=ada,
        name="Arms on eight counts",
        description="Keep the elbows as high as the shoulders.\nWatch it once at half speed, then with the beat.",
        due_at=now + timedelta(days=5),
        now=now - timedelta(days=2),
    )
    steps = create_exercise(
        video=_clip(Scene(LANDSCAPE, routine="steps", look="hall"), LANDSCAPE, "steps.mp4"),
        classroom=classroom,
        by=ada,
        name="Side steps in time",
        description="Land on the beat, not after it.",
        review_mode=Exercise.ReviewMode.PEERS,
        now=now - timedelta(days=1),
    )
    for exercise in (arms, steps):
        publish_exercise(exercise=exercise, by=ada, now=now)
    write_comment(target=arms.reference, author=ada, text="Here the arms are fully open.", at_ms=1500, now=now)
    return arms, steps


def _answer_steps(steps: Exercise, ada: User, ben: User, now: datetime) -> None:
    """Make an attempt that Ada answered: redo, and why, at the moment where it shows."""
    small = Scene(LANDSCAPE, routine="steps", look="home", reach=0.6, late_s=0.25)
    received = _clip(small, LANDSCAPE, "steps-at-home.mp4")
    attempt = save_attempt(exercise=steps, learner=ben, video=received, now=now - timedelta(hours=21))
    submit_attempt(attempt=attempt, now=now - timedelta(hours=20))
    text = "You land after the beat here, and the step is small. Loop these two counts at half speed."
    write_comment(target=attempt.video, author=ada, text=text, at_ms=2250, now=now - timedelta(hours=2))
    review_attempt(attempt=attempt, verdict=Attempt.State.REDO, by=ada, now=now - timedelta(hours=2))


def _wait_for_review(arms: Exercise, ben: User, now: datetime) -> None:
    """Make an attempt that Ada has not answered yet, with a question of Ben's."""
    late = Scene(PORTRAIT, look="home", reach=0.75, late_s=0.18)
    attempt = save_attempt(exercise=arms, learner=ben, video=_clip(late, PORTRAIT, "my-first-try.mp4"), now=now)
    submit_attempt(attempt=attempt, now=now - timedelta(hours=3))
    write_comment(target=attempt.video, author=ben, text="Am I late here?", at_ms=2250, now=now)


def _more_learners(number: int) -> list[User]:
    return [
        User.objects.create_user(f"learner{index}@example.org", PASSWORD, name=f"Learner {index}")
        for index in range(2, number + 2)
    ]


def _clip(scene: Scene, size: tuple[int, int], name: str) -> ReceivedVideo:
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    path: Path = settings.INCOMING_ROOT / f"{uuid.uuid4()}.mp4"
    write_clip(path, seconds=6, size=size, scene=scene)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ReceivedVideo(
        path=path, name=name, content_type="video/mp4", size=path.stat().st_size, checksum_sha256=digest
    )
