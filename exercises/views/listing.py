"""The list of exercises: searched, filtered, and paged by links that can be shared."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Classroom
from core.cursors import cursor_after, read_cursor
from core.http import AuthenticatedRequest
from exercises.cards import TO_DO, older_than, with_my_state
from exercises.models import Attempt, Exercise

PAGE_SIZE = 24
SEARCH_CHARACTERS = 100
MY_STATES = [(TO_DO, "To do"), *((state.value, state.label.capitalize()) for state in Attempt.State)]


@require_safe
def exercise_list(request: AuthenticatedRequest) -> HttpResponse:
    """List the exercises one may see, newest first; unknown filters and broken page links show the first page."""
    filters = _filters(request)
    exercises = _filtered(with_my_state(Exercise.objects.visible_to(request.user), request.user), filters)
    older = read_cursor(request.GET.get("older", ""))
    if older:
        exercises = older_than(exercises, *older)
    rows = list(exercises.order_by("-created_at", "-pk")[: PAGE_SIZE + 1])
    page = rows[:PAGE_SIZE]
    return render(
        request,
        "exercises/list.html",
        {
            "exercises": page,
            "query": filters.get("q", ""),
            "classrooms": Classroom.objects.visible_to(request.user).order_by("name", "pk")[:50],
            "selected_classroom": filters.get("classroom", ""),
            "states": MY_STATES,
            "selected_state": filters.get("state", ""),
            "older_url": _url(filters, older=cursor_after(page[-1].created_at, page[-1].pk))
            if len(rows) > PAGE_SIZE
            else "",
            "newer_url": _url(filters) if older else "",
            "may_create": Classroom.objects.managed_by(request.user).exists(),
        },
    )


def _filters(request: AuthenticatedRequest) -> dict[str, str]:
    """Return the filters that mean something, as they stand in links."""
    filters = {}
    if query := request.GET.get("q", "").replace("\0", "").strip()[:SEARCH_CHARACTERS]:
        filters["q"] = query
    if classroom := _uuid(request.GET.get("classroom", "")):
        filters["classroom"] = str(classroom)
    if request.GET.get("state", "") in dict(MY_STATES):
        filters["state"] = request.GET["state"]
    return filters


def _filtered(exercises: "QuerySet[Any]", filters: dict[str, str]) -> "QuerySet[Any]":
    if "classroom" in filters:
        exercises = exercises.filter(classroom=filters["classroom"])
    if "state" in filters:
        exercises = exercises.filter(my_state=filters["state"])
    for word in filters.get("q", "").split():
        exercises = exercises.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(created_by__name__icontains=word)
        )
    return exercises.exclude(state=Exercise.State.ARCHIVED)


def _url(filters: dict[str, str], **more: str) -> str:
    query = urlencode({**filters, **more})
    return reverse("exercises:list") + (f"?{query}" if query else "")


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
