"""Exercises as cards: with everything a list shows, in one query whatever their number."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Now

from accounts.models import Membership
from core.models import VideoAsset
from exercises.models import Attempt

if TYPE_CHECKING:
    from accounts.models import User


def with_my_state(exercises: "QuerySet[Any]", user: "User") -> "QuerySet[Any]":
    """Return the exercises with the reader's role, the state of their newest attempt, and the rows a card shows.

    What follows from these (`my_state`, `is_late`, `learns`, `teaches`) are properties of Exercise: said in SQL, each
    would repeat the others' subqueries.
    """
    mine = Attempt.objects.filter(exercise=OuterRef("pk"), learner=user).order_by("-number")
    membership = Membership.objects.filter(user=user, classroom=OuterRef("classroom"))
    return exercises.select_related("reference", "classroom", "created_by").annotate(
        newest_state=Subquery(mine.values("state")[:1]),
        my_role=Subquery(membership.values("role")[:1]),
        is_past_due=Case(When(due_at__lt=Now(), then=True), default=False),
    )


def with_what_it_holds(exercises: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the exercises with `has_attempts` and `has_comments` (on the reference): such ones are archived."""
    commented = VideoAsset.objects.filter(pk=OuterRef("reference"), comments__isnull=False)
    attempts = Attempt.objects.filter(exercise=OuterRef("pk"))
    return exercises.annotate(has_attempts=Exists(attempts), has_comments=Exists(commented))


def with_counts(exercises: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the exercises with `learner_count`, `submitted_count` (learners who did), and `to_review_count`."""
    learners = Membership.objects.filter(classroom=OuterRef("classroom"), role=Membership.Role.LEARNER)
    attempts = Attempt.objects.filter(exercise=OuterRef("pk")).exclude(state=Attempt.State.DRAFT)
    return exercises.annotate(
        learner_count=_count(learners, "classroom"),
        submitted_count=_count(attempts, "exercise", of="learner"),
        to_review_count=_count(attempts.filter(state=Attempt.State.SUBMITTED), "exercise"),
    )


def _count(rows: QuerySet, by: str, of: str = "pk") -> Coalesce:
    counted = rows.order_by().values(by).annotate(number=Count(of, distinct=True)).values("number")
    return Coalesce(Subquery(counted), 0)


def older_than(exercises: "QuerySet[Any]", created_at: datetime, pk: UUID) -> "QuerySet[Any]":
    """Return what follows a row on a list that shows the newest first (keyset: no OFFSET at any depth)."""
    return exercises.filter(created_at__lte=created_at).filter(
        Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=pk)
    )
