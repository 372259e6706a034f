"""Exercises as lists show them: rows of what is shown, nothing else, in two queries whatever their number.

# Note [Rows, not objects]
A list shows a few columns of four tables. Built as objects with all of theirs, its rows took a third of the page's
time; so a list asks for its columns. What differs by reader comes beside them: their roles are known to the request
(accounts/places.py), and the states of their newest attempts are one query for the rows on the page.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from accounts.models import Membership
from accounts.places import Places
from exercises.models import TO_DO, Attempt

if TYPE_CHECKING:
    from accounts.models import User

COLUMNS = (
    *("pk", "name", "state", "due_at", "created_at", "created_by__name"),
    *("classroom_id", "classroom__name", "classroom__time_zone"),
    *("reference_id", "reference__state", "reference__width_px", "reference__height_px", "reference__duration_ms"),
)


class Standing(NamedTuple):
    """How an exercise stands for its reader."""

    role: str | None
    newest_state: str | None
    is_past_due: bool

    @property
    def learns(self) -> bool:
        """Return whether the reader is a learner of its class."""
        return self.role == Membership.Role.LEARNER

    @property
    def my_state(self) -> str:
        """Return the state of a learner's newest attempt, before the first TO_DO; "" for others."""
        return (self.newest_state or TO_DO) if self.learns else ""

    @property
    def is_late(self) -> bool:
        """Return whether it is due, past, and by this learner neither submitted nor passed."""
        done = {Attempt.State.SUBMITTED, Attempt.State.PASSED}
        return self.learns and self.is_past_due and self.newest_state not in done


STRANGERS = Standing(None, None, is_past_due=False)


class ShownVideo(NamedTuple):
    """What a card shows of the reference."""

    pk: UUID
    state: str
    width_px: int | None
    height_px: int | None
    duration_ms: int | None


class Row(NamedTuple):
    """What lists show of an exercise."""

    pk: UUID
    name: str
    state: str
    due_at: datetime | None
    created_at: datetime
    by: str
    classroom_id: UUID
    classroom: str
    time_zone: str
    reference: ShownVideo
    standing: Standing


def rows(exercises: "QuerySet[Any]") -> list[Row]:
    """Return the rows of an ordered and cut queryset of exercises, as they stand for a stranger."""
    shown = exercises.values_list(*COLUMNS)
    return [Row._make((*row[:9], ShownVideo(*row[9:]), STRANGERS)) for row in shown]


def readers_rows(exercises: "QuerySet[Any]", *, user: "User", roles: Places, now: datetime) -> list[Row]:
    """Return the same as they stand for the reader."""
    found = rows(exercises)
    learnt = set(roles.with_role(Membership.Role.LEARNER))
    newest = newest_states(user, [row.pk for row in found if row.classroom_id in learnt])
    return [
        row._replace(standing=standing(roles.role_in(row.classroom_id), newest.get(row.pk), row.due_at, now))
        for row in found
    ]


def standing(role: str | None, newest_state: str | None, due_at: datetime | None, now: datetime) -> Standing:
    """Return how an exercise that is due then stands for its reader."""
    return Standing(role, newest_state, due_at is not None and due_at < now)


def newest_states(user: "User", exercises: list[UUID]) -> dict[UUID, str]:
    """Return the state of the reader's newest attempt by exercise, where there is one."""
    if not exercises:
        return {}
    attempts = Attempt.objects.filter(learner=user, exercise__in=exercises).order_by("number")
    return dict(attempts.values_list("exercise_id", "state"))


def with_newest_state(exercises: "QuerySet[Any]", user: "User") -> "QuerySet[Any]":
    """Return the exercises with `newest_state`, the state of the reader's newest attempt, to filter by."""
    mine = Attempt.objects.filter(exercise=OuterRef("pk"), learner=user).order_by("-number")
    return exercises.annotate(newest_state=Subquery(mine.values("state")[:1]))


class Counts(NamedTuple):
    """How many learn in an exercise's class, how many of them submitted an attempt, and how many attempts wait."""

    learners: int
    submitted: int
    to_review: int


def counts(shown: Iterable[Row]) -> dict[UUID, Counts]:
    """Return the counts by exercise; two queries."""
    shown = list(shown)
    learners = Membership.objects.filter(classroom__in={row.classroom_id for row in shown}, role="learner")
    by_class = dict(learners.values("classroom").annotate(number=Count("pk")).values_list("classroom", "number"))
    attempts = Attempt.objects.filter(exercise__in=[row.pk for row in shown]).exclude(state=Attempt.State.DRAFT)
    waiting = Count("pk", filter=Q(state=Attempt.State.SUBMITTED))
    by_exercise = {
        pk: (submitted, to_review)
        for pk, submitted, to_review in attempts.values("exercise")
        .annotate(submitted=Count("learner", distinct=True), to_review=waiting)
        .values_list("exercise", "submitted", "to_review")
    }
    return {row.pk: Counts(by_class.get(row.classroom_id, 0), *by_exercise.get(row.pk, (0, 0))) for row in shown}


def older_than(exercises: "QuerySet[Any]", created_at: datetime, pk: UUID) -> "QuerySet[Any]":
    """Return what follows a row on a list that shows the newest first (keyset: no OFFSET at any depth)."""
    return exercises.filter(created_at__lte=created_at).filter(
        Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=pk)
    )
