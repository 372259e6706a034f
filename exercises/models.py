"""Exercise, the task, and Attempt, a learner's video answer to it."""

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.lookups import Exact

from accounts.models import Classroom, Membership
from core.models import VideoAsset

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


TO_DO = "to do"
SHOWN_SIDE_BY_SIDE = (
    *("exercise", "number", "state", "learner__name"),
    *("video__state", "video__width_px", "video__height_px"),
)
SHOWN_IN_ROWS = (
    *("submitted_at", "reviewed_at", "exercise__name", "reviewed_by__name", "video__duration_ms"),
    *SHOWN_SIDE_BY_SIDE,
)


class ExerciseQuerySet(models.QuerySet["Exercise"]):
    """Exercises by who may see or change them."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return published exercises of one's classes and every exercise of the classes one teaches; staff see all."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        # Not `classroom__in`: a list would be gathered whole and sorted, where this walks the index of the newest.
        is_published = Q(Exact(OuterRef("state"), Exercise.State.PUBLISHED))
        mine = Membership.objects.filter(user=user, classroom=OuterRef("classroom"))
        return self.filter(Exists(mine.filter(is_published | Q(role=Membership.Role.INSTRUCTOR))))

    def editable_by(self, user: "User | AnonymousUser") -> Self:
        """Return the exercises of the classes `user` teaches; staff may edit all."""
        if user.is_authenticated and user.is_staff:
            return self
        return self.filter(classroom__in=Classroom.objects.taught_by(user).values("pk"))


class Exercise(models.Model):
    """A reference video and what to practise."""

    class State(models.TextChoices):
        """A draft is the instructors'; a published one the class's; an archived one keeps its attempts."""

        DRAFT = "draft", "draft"
        PUBLISHED = "published", "published"
        ARCHIVED = "archived", "archived"

    class ReviewMode(models.TextChoices):
        """Who sees a submitted attempt."""

        PRIVATE = "private", "Only the instructors"
        PEERS = "peers", "Everyone in the class"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    classroom = models.ForeignKey(Classroom, on_delete=models.PROTECT, related_name="exercises")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exercises")
    name = models.CharField(max_length=140)
    description = models.TextField(max_length=5000, blank=True)
    reference = models.ForeignKey(VideoAsset, on_delete=models.PROTECT, related_name="exercises")
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    review_mode = models.CharField(max_length=7, choices=ReviewMode, default=ReviewMode.PRIVATE)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = ExerciseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="exercise_state_known", condition=Q(state__in=["draft", "published", "archived"])
            ),
            models.CheckConstraint(
                name="exercise_review_mode_known", condition=Q(review_mode__in=["private", "peers"])
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="exercise_newest"),
            models.Index(fields=["classroom", "state", "-created_at"], name="exercise_class_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Attempts by who may see them and by what they wait for."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return the attempts whose video `user` may see (see Note [One row decides])."""
        if user.is_authenticated and user.is_staff:
            return self
        return self.filter(video__in=VideoAsset.objects.visible_to(user).values("pk"))

    def side_by_side(self) -> Self:
        """Return the attempts with what a strip of them shows."""
        return self.select_related("learner", "video").only("submitted_at", *SHOWN_SIDE_BY_SIDE)

    def as_rows(self) -> Self:
        """Return the attempts with what a row in a list shows of them, of their exercises, and of people."""
        return self.select_related("exercise", "learner", "video", "reviewed_by").only(*SHOWN_IN_ROWS)

    def waiting_for(self, user: "User | AnonymousUser") -> Self:
        """Return the submitted attempts of the classes `user` teaches, the longest waiting first."""
        taught = Classroom.objects.taught_by(user).values("pk")
        waiting = self.filter(state=Attempt.State.SUBMITTED, exercise__classroom__in=taught)
        return waiting.order_by("submitted_at", "pk")


class Attempt(models.Model):
    """A learner's answer. `reference` is kept as it was, so that a replaced video does not move old comments."""

    class State(models.TextChoices):
        """draft → submitted → redo or passed; withdrawing leads back to draft."""

        DRAFT = "draft", "draft"
        SUBMITTED = "submitted", "submitted"
        REDO = "redo", "redo"
        PASSED = "passed", "passed"

    REVIEWED = (State.REDO, State.PASSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="attempts")
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    video = models.OneToOneField(VideoAsset, on_delete=models.PROTECT, related_name="attempt")
    reference = models.ForeignKey(VideoAsset, on_delete=models.PROTECT, related_name="attempts_at_it")
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exercise", "learner", "number"], name="attempt_number_once_per_learner"),
            models.UniqueConstraint(
                fields=["exercise", "learner"],
                condition=Q(state="draft"),
                name="attempt_one_draft_per_learner",
            ),
            models.CheckConstraint(
                name="attempt_state_has_its_times",
                condition=Q(state="draft", submitted_at__isnull=True, reviewed_at__isnull=True)
                | Q(state="submitted", submitted_at__isnull=False, reviewed_at__isnull=True)
                | Q(
                    state__in=["redo", "passed"],
                    submitted_at__isnull=False,
                    reviewed_at__isnull=False,
                    reviewed_by__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "submitted_at", "id"], name="attempt_waiting"),
            models.Index(fields=["reviewed_at"], name="attempt_answered"),  # what the digest asks for
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} at {self.exercise}"
