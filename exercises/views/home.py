"""Home: what to do next, as a learner and as an instructor."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Max, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.places import Places, Role, places
from core.http import AuthenticatedRequest
from exercises.cards import Row, counts, readers_rows, rows, with_newest_state
from exercises.models import Attempt, Exercise

SHOWN_WAITING = 5
SHOWN_FEEDBACK = 5
FEW_CLASSES = 3
SHOWN_OF_FEW, SHOWN_OF_MANY = 6, 3  # of each class: whole rows on a wide screen, and a page short on a phone
SHOWN_TO_TEACH = 48


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
    next_up = _next_up(published, user)
    few = SHOWN_OF_FEW if len(learnt) <= FEW_CLASSES else SHOWN_OF_MANY
    place = Window(RowNumber(), partition_by="classroom", order_by=["-created_at", "-pk"])
    shown = published.annotate(place=place).filter(Q(place__lte=few + 1) | Q(pk=next_up)).order_by("-created_at", "-pk")
    by_class: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in readers_rows(shown, user=user, roles=roles, now=timezone.now()):
        by_class[row.classroom_id].append(row)
    return {
        "next_up": next((row for found in by_class.values() for row in found if row.pk == next_up), None),
        "feedback": _feedback(user),
        "learning": [
            {"classroom": roles[pk], "exercises": by_class[pk][:few], "has_more": len(by_class[pk]) > few}
            for pk in learnt
        ],
    }


def _next_up(published: "QuerySet[Any]", user: User) -> UUID | None:
    """Return what to do now: a redo first, then a draft to submit, then what is due soonest, then the oldest."""
    redo, draft = Attempt.State.REDO, Attempt.State.DRAFT
    urgency = Case(When(newest_state=redo, then=Value(0)), When(newest_state=draft, then=Value(1)), default=Value(2))
    is_open = Q(newest_state__isnull=True) | Q(newest_state__in=[redo, draft])
    open_ones = with_newest_state(published, user).filter(is_open)
    by_urgency = open_ones.order_by(urgency, F("due_at").asc(nulls_last=True), "created_at", "pk")
    return by_urgency.values_list("pk", flat=True).first()


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
    exercises = rows(newest.order_by("-created_at", "-pk")[:SHOWN_TO_TEACH])
    by_exercise = counts(exercises)
    return {
        "waiting": first[:SHOWN_WAITING],
        "waiting_count": waiting.count() if len(first) > SHOWN_WAITING else len(first),
        "teaching": [(row, by_exercise[row.pk]) for row in exercises],
    }
