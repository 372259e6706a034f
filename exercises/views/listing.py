"""The list of exercises: searched, filtered, and paged by links that can be shared.

# Note [States of what is mine]
A learner looks for what stands in an answer of theirs (to do, draft, submitted, …), an instructor for what stands in an
exercise (draft, published, archived). One filter serves both: a state means one's own newest attempt, or an exercise of
a class one teaches. Who does both finds under "draft" all that waits for them to be sent or published. Archived ones
are shown only when asked for.
"""

from itertools import islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Classroom, User
from accounts.places import Places, Role, places
from core.cursors import cursor_after, read_cursor
from core.http import AuthenticatedRequest
from exercises.cards import older_than, readers_rows, with_newest_state
from exercises.models import TO_DO, Attempt, Exercise

PAGE_SIZE = 24
SHOWN_CLASSES = 50
SEARCH_CHARACTERS = 100
LEARNERS_STATES = {TO_DO: "To do", **{state.value: state.label.capitalize() for state in Attempt.State}}
INSTRUCTORS_STATES = {state.value: state.label.capitalize() for state in Exercise.State}


@require_safe
def exercise_list(request: AuthenticatedRequest) -> HttpResponse:
    """List the exercises one may see, newest first; unknown filters and broken page links show the first page."""
    user, roles = request.user, places(request)
    classrooms = _classrooms(user, roles)
    states = _states(user, roles)
    filters = _filters(request, states)
    exercises = _in_state(_filtered(Exercise.objects.visible_to(user), filters), filters.get("state", ""), user, roles)
    older = read_cursor(request.GET.get("older", ""))
    if older:
        exercises = older_than(exercises, *older)
    newest = exercises.order_by("-created_at", "-pk")[: PAGE_SIZE + 1]
    found = readers_rows(newest, user=user, roles=roles, now=timezone.now())
    page = found[:PAGE_SIZE]
    return render(
        request,
        "exercises/list.html",
        {
            "exercises": page,
            "ways_to_find_more": _ways_to_find_more(filters, classrooms),
            "query": filters.get("q", ""),
            "classrooms": classrooms,
            "selected_classroom": filters.get("classroom", ""),
            "states": list(states.items()),
            "selected_state": filters.get("state", ""),
            "older_url": _url(filters, older=cursor_after(page[-1].created_at, page[-1].pk))
            if len(found) > PAGE_SIZE
            else "",
            "newer_url": _url(filters) if older else "",
            "may_create": bool(roles.with_role(Role.INSTRUCTOR)) or (user.is_staff and bool(classrooms)),
        },
    )


def _classrooms(user: User, roles: Places) -> list[tuple[str, str]]:
    """Return the classes to filter by, as pairs of key and name."""
    if user.is_staff:
        every = Classroom.objects.order_by("name", "pk").values_list("pk", "name")
        return [(str(pk), name) for pk, name in every[:SHOWN_CLASSES]]
    return [(str(place.classroom_id), place.name) for place in islice(roles.values(), SHOWN_CLASSES)]


def _states(user: User, roles: Places) -> dict[str, str]:
    """Return the states that can be asked for, by what one does here: value → label."""
    teaches = user.is_staff or roles.with_role(Role.INSTRUCTOR)
    learns = roles.with_role(Role.LEARNER)
    return (LEARNERS_STATES if learns else {}) | (INSTRUCTORS_STATES if teaches else {})


def _filters(request: AuthenticatedRequest, states: dict[str, str]) -> dict[str, str]:
    """Return the filters that mean something, as they stand in links."""
    filters = {}
    if query := request.GET.get("q", "").replace("\0", "").strip()[:SEARCH_CHARACTERS]:
        filters["q"] = query
    if classroom := _uuid(request.GET.get("classroom", "")):
        filters["classroom"] = str(classroom)
    if request.GET.get("state", "") in states:
        filters["state"] = request.GET["state"]
    return filters


def _filtered(exercises: "QuerySet[Any]", filters: dict[str, str]) -> "QuerySet[Any]":
    if "classroom" in filters:
        exercises = exercises.filter(classroom=filters["classroom"])
    for word in filters.get("q", "").split():
        exercises = exercises.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(created_by__name__icontains=word)
        )
    return exercises


def _ways_to_find_more(filters: dict[str, str], classrooms: list[tuple[str, str]]) -> list[str]:
    """Return what to try when no exercise fits: only filters that are in use, and that offer something else."""
    ways = {
        "fewer words" if " " in filters.get("q", "") else "other words": "q" in filters,
        "another class": "classroom" in filters and len(classrooms) > 1,
        "another state": "state" in filters,
    }
    return [way for way, helps in ways.items() if helps]


def _in_state(exercises: "QuerySet[Any]", state: str, user: User, roles: Places) -> "QuerySet[Any]":
    """Return the exercises in a state (see Note [States of what is mine]), or without one all but the archived."""
    if state:
        mine = Q(newest_state=state)
        if state == TO_DO:
            mine = Q(newest_state__isnull=True, classroom__in=roles.with_role(Role.LEARNER))
        edited = Q(state=state) if user.is_staff else Q(state=state, classroom__in=roles.with_role(Role.INSTRUCTOR))
        exercises = with_newest_state(exercises, user).filter(mine | edited)
    return exercises if state == Exercise.State.ARCHIVED else exercises.exclude(state=Exercise.State.ARCHIVED)


def _url(filters: dict[str, str], **more: str) -> str:
    query = urlencode({**filters, **more})
    return reverse("exercises:list") + (f"?{query}" if query else "")


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
