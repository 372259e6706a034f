"""The instructor's queue: submitted attempts of one's classes, the longest waiting first."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.cursors import cursor_after, read_cursor
from core.http import AuthenticatedRequest
from exercises.models import Attempt

PAGE_SIZE = 24


@require_safe
def queue(request: AuthenticatedRequest) -> HttpResponse:
    """List what waits; the next page follows the last row shown."""
    waiting = Attempt.objects.waiting_for(request.user).as_rows()
    if after := read_cursor(request.GET.get("after", "")):
        submitted_at, pk = after
        waiting = waiting.filter(Q(submitted_at__gt=submitted_at) | Q(submitted_at=submitted_at, pk__gt=pk))
    rows = list(waiting[: PAGE_SIZE + 1])
    page = rows[:PAGE_SIZE]
    following = ""
    if len(rows) > PAGE_SIZE and page[-1].submitted_at:
        cursor = cursor_after(page[-1].submitted_at, page[-1].pk)
        following = f"{reverse('exercises:queue')}?{urlencode({'after': cursor})}"
    return render(request, "exercises/queue.html", {"waiting": page, "older_url": following})
