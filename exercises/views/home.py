"""Home: what to do next, as a learner and as an instructor."""

from itertools import groupby
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Membership, User
from core.http import AuthenticatedRequest
from exercises.cards import with_counts, with_my_state
from exercises.models import TO_DO, Attempt, Exercise

SHOWN_WAITING = 5
SHOWN_FEEDBACK = 5
SHOWN_EXERCISES = 48


@require_safe
def home(request: AuthenticatedRequest) -> HttpResponse:
    """Show what is next: exercises to do, feedback that came in, attempts that wait for an answer."""
    roles = set(request.user.memberships.values_list("role", flat=True))
    context: dict[str, Any] = {
        "is_instructor": Membership.Role.INSTRUCTOR in roles,
        "is_learner": Membership.Role.LEARNER in roles,
    }
    if context["is_learner"]:
        context |= _learning(request.user)
    if context["is_instructor"]:
        context |= _teaching(request.user)
    return render(request, "home.html", context)


def _learning(user: User) -> dict[str, Any]:
    published = Exercise.objects.visible_to(user).filter(state=Exercise.State.PUBLISHED)
    mine = with_my_state(published, user).filter(my_role=Membership.Role.LEARNER)
    exercises = list(mine.order_by("classroom__name", "classroom", "-created_at", "-pk")[:SHOWN_EXERCISES])
    return {
        "next_up": _next_up(exercises),
        "feedback": _feedback(user),
        "learning": [
            {"classroom": classroom, "exercises": list(rows)}
            for classroom, rows in groupby(exercises, key=lambda exercise: exercise.classroom)
        ],
    }


def _next_up(exercises: list[Exercise]) -> Exercise | None:
    """Return what to do now: a redo first, then a draft to submit, then what is due soonest."""
    order = {Attempt.State.REDO: 0, Attempt.State.DRAFT: 1, TO_DO: 2}
    open_ones = [exercise for exercise in exercises if exercise.my_state in order]
    return min(
        open_ones,
        key=lambda one: (order[one.my_state], one.due_at is None, one.due_at or one.created_at),
        default=None,
    )


def _feedback(user: User) -> list[Attempt]:
    others = ~Q(video__comments__author=user) & Q(video__comments__deleted_at=None)
    attempts = Attempt.objects.filter(learner=user).exclude(state=Attempt.State.DRAFT)
    answered = attempts.annotate(
        comment_count=Count("video__comments", filter=others, distinct=True),
        latest_comment_at=Max("video__comments__created_at", filter=others),
    ).filter(Q(comment_count__gt=0) | Q(reviewed_at__isnull=False))
    rows = answered.select_related("exercise", "video", "reviewed_by").order_by("-submitted_at", "-pk")
    return list(rows[:SHOWN_FEEDBACK])


def _teaching(user: User) -> dict[str, Any]:
    waiting = Attempt.objects.waiting_for(user).select_related("exercise__classroom", "learner", "video")
    taught = Exercise.objects.editable_by(user) if not user.is_staff else Exercise.objects.visible_to(user)
    exercises = with_counts(with_my_state(taught.exclude(state=Exercise.State.ARCHIVED), user))
    return {
        "waiting": list(waiting[:SHOWN_WAITING]),
        "waiting_count": waiting.count(),
        "teaching": list(
            exercises.filter(my_role=Membership.Role.INSTRUCTOR).order_by("-created_at", "-pk")[:SHOWN_EXERCISES]
        ),
    }
