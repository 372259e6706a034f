"""Maintenance mode over HTTP: visitors read when to come back, staff work on, and machines are told 503.

# Note [Who passes]
Probes (the load balancer must keep sending people here, or nobody reads the message), the log-in and log-out pages (so
that staff can become staff), and staff. Static files are answered before this. It stands after the authentication
middleware, because it must know staff, and before any view: nothing is stored, no body is read. Senders of parts get
a 503 with Retry-After, which they treat as a pause and go on where they were.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.http import meant, refuse
from core.operations.maintenance import maintenance

TITLE = "Back soon"
SENTENCE = "Practika is being looked after. Nothing was lost."
OPEN_PAGES = ("account_login", "account_logout")


class MaintenanceMiddleware:
    """Refuses visitors while the mode is on; see Note [Who passes]."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer of the rest of the site, or 503 with the operator's sentence."""
        mode = maintenance()
        if mode is None or _passes(request):
            return self.get_response(request)
        response = refuse(request, 503, TITLE, mode.message or SENTENCE)
        response["Cache-Control"] = "no-store"
        return meant(response)


def _passes(request: HttpRequest) -> bool:
    if request.path in settings.PROBE_PATHS or request.path in [reverse(name) for name in OPEN_PAGES]:
        return True
    try:
        return bool(request.user.is_active and request.user.is_staff)
    except DatabaseError:
        return False
