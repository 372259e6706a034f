"""The person behind a request: whether there is one, their time zone, and when they were last here."""

import logging
import zoneinfo
from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from accounts.models import User
from accounts.services.people import note_seen
from core.http import log_in_first

logger = logging.getLogger(__name__)

SEEN_EVERY = timedelta(minutes=10)


class EntranceMiddleware(LoginRequiredMiddleware):
    """Every page needs a log-in unless it says otherwise; whoever sent a form is led back to its page, not to it."""

    def handle_no_permission(self, request: HttpRequest, view_func: object) -> HttpResponseRedirect:
        """Return the way to the log-in page."""
        return log_in_first(request)


class PersonMiddleware:
    """Shows times in the person's zone and notes, at most every ten minutes, that they were here.

    With the answer to a log-out it has the browser forget what it keeps of the site: whoever sits there next would see
    the pages by going back, their posters and videos included (Clear-Site-Data).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer of the rest of the site."""
        response = self.get_response(request)
        if getattr(request, "was_somebody", False) and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache"'
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Look at the person once a view will answer; static files and probes never ask for one."""
        if request.path.startswith("/core/") or not request.user.is_authenticated:
            timezone.deactivate()
            return
        request.was_somebody = True  # type: ignore[attr-defined]
        user, now = request.user, timezone.now()
        timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        if user.last_seen_at is None or now - user.last_seen_at > SEEN_EVERY:
            _note_seen(user, now)


def _note_seen(user: User, now: datetime) -> None:
    """Note it if the database takes it: a page that only reads is served by one that is locked or read-only."""
    try:
        note_seen(user=user, now=now)
    except DatabaseError:
        logger.warning("Not noted that somebody was here", exc_info=True)
