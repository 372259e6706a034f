"""The instructor's queue: submitted attempts of one's classes, the longest waiting first."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.http import AuthenticatedRequest
from exercises.models import Attempt

PAGE_SIZE = 24


@require_safe
def queue(request: AuthenticatedRequest) -> HttpResponse:
    """List what waits; the next page follows the last row shown."""
    waiting = Attempt.objects.waiting_for(request.user).select_related("exercise__classroom", "learner", "video")
    if after := _cursor(request.GET.get("after", "")):
        submitted_at, pk = after
        waiting = waiting.filter(Q(submitted_at__gt=submitted_at) | Q(submitted_at=submitted_at, pk__gt=pk))
    rows = list(waiting[: PAGE_SIZE + 1])
    page = rows[:PAGE_SIZE]
    following = ""
    if len(rows) > PAGE_SIZE and page[-1].submitted_at:
        cursor = f"{page[-1].submitted_at.isoformat()}_{page[-1].pk}"
        following = f"{reverse('exercises:queue')}?{urlencode({'after': cursor})}"
    return render(request, "exercises/queue.html", {"waiting": page, "older_url": following})


def _cursor(value: str) -> tuple[datetime, UUID] | None:
    moment, _, key = value[:80].partition("_")
    try:
        submitted_at, pk = datetime.fromisoformat(moment), UUID(key)
    except ValueError:
        return None
    return (submitted_at, pk) if submitted_at.tzinfo else None
