"""Home: what to do next, as a learner and as an instructor."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.places import Places, Role, places
from core.http import AuthenticatedRequest
from exercises.cards import Row, counts, readers_rows, rows
from exercises.models import TO_DO, Attempt, Exercise

SHOWN_WAITING = 5
SHOWN_FEEDBACK = 5
SHOWN_EXERCISES = 48


@require_safe
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Show what is next: exercises to do, feedback that came in, attempts that wait for an answer."""
    user, roles = request.user, places(request)
    learnt, taught = roles.with_role(Role.LEARNER), roles.with_role(Role.INSTRUCTOR)
    context: dict[str, Any] = {"is_instructor": bool(taught), "is_learner": bool(learnt)}
    if learnt:
        context |= _learning(user, roles, learnt)
    if taught:
        context |= _teaching(user, taught)
    return render(request, "home.html", context)


def _learning(user: User, roles: Places, learnt: list[UUID]) -> dict[str, Any]:
    published = Exercise.objects.filter(state=Exercise.State.PUBLISHED, classroom__in=learnt)
    by_class = published.order_by("classroom__name", "classroom_id", "-created_at", "-pk")[:SHOWN_EXERCISES]
    exercises = readers_rows(by_class, user=user, roles=roles, now=timezone.now())
    return {
        "next_up": _next_up(exercises),
        "feedback": _feedback(user),
        "learning": [
            {"classroom": roles[classroom], "exercises": list(rows_of_class)}
            for classroom, rows_of_class in groupby(exercises, key=lambda row: row.classroom_id)
        ],
    }


def _next_up(exercises: list[Row]) -> Row | None:
    """Return what to do now: a redo first, then a draft to submit, then what is due soonest."""
    order = {Attempt.State.REDO: 0, Attempt.State.DRAFT: 1, TO_DO: 2}
    open_ones = [row for row in exercises if row.standing.my_state in order]
    return min(
        open_ones,
        key=lambda row: (order[row.standing.my_state], row.due_at is None, row.due_at or row.created_at),
        default=None,
    )


def _feedback(user: User) -> list[Attempt]:
    others = ~Q(video__comments__author=user) & Q(video__comments__deleted_at=None)
    attempts = Attempt.objects.filter(learner=user).exclude(state=Attempt.State.DRAFT)
    answered = attempts.annotate(
        comment_count=Count("video__comments", filter=others, distinct=True),
        latest_comment_at=Max("video__comments__created_at", filter=others),
    ).filter(Q(comment_count__gt=0) | Q(reviewed_at__isnull=False))
    return list(answered.as_rows().order_by("-submitted_at", "-pk")[:SHOWN_FEEDBACK])


def _teaching(user: User, taught: list[UUID]) -> dict[str, Any]:
    waiting = Attempt.objects.waiting_for(user)
    first = list(waiting.as_rows()[: SHOWN_WAITING + 1])
    newest = Exercise.objects.filter(classroom__in=taught).exclude(state=Exercise.State.ARCHIVED)
    exercises = rows(newest.order_by("-created_at", "-pk")[:SHOWN_EXERCISES])
    by_exercise = counts(exercises)
    return {
        "waiting": first[:SHOWN_WAITING],
        "waiting_count": waiting.count() if len(first) > SHOWN_WAITING else len(first),
        "teaching": [(row, by_exercise[row.pk]) for row in exercises],
    }
