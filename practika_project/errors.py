"""What the site answers when something went wrong: a page, or problem+json below /core/api/.

The pages depend on nothing: no session, no database, no static manifest. What they are made of is templates/error.html.
"""

import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat

from core.http import refuse

logger = logging.getLogger(__name__)
READ_ONLY = "25006"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 when more was sent than is allowed."""
    if isinstance(exception, RequestDataTooBig):
        limit = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        return refuse(request, 413, "Too large", f"A form may have up to {limit}. Nothing was kept. Send less text.")
    return refuse(
        request, 400, "Bad request", "The request arrived damaged or incomplete. Nothing was kept. Try again."
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for what one may see but not change."""
    reason = str(exception) if isinstance(exception, PermissionDenied) else ""
    return refuse(request, 403, "Not allowed", reason or "Your account may look at this but not change it.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 when the form's token is missing or old."""
    return refuse(
        request,
        403,
        "Not sent",
        "This form is too old, or cookies are blocked. Nothing was changed. Reload the page, then send it again.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, the same for what is not there and for what one may not see."""
    return refuse(request, 404, "Not found", "There is nothing here, or it is not for this account.")


class MethodPageMiddleware:
    """Gives a page to who opens the address of a form, by a reload or the way back; Django's 405 is an empty answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the view's answer, or 405 with a page and the methods that are allowed."""
        response = self.get_response(request)
        reads_pages = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if response.status_code != 405 or not reads_pages:
            return response
        reason = "This address only takes what a form sends. Nothing was changed."
        page = refuse(request, 405, "Nothing to see", reason)
        page["Allow"] = response["Allow"]
        return page


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429 for what allauth itself limits (core/throttling.py says what), each by the minute."""
    return refuse(
        request, 429, "Too often", "This was tried too often in a short time. Nothing was changed.", retry_after_s=60
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when the database does not answer; the exception is being handled while this runs."""
    if is_database_away(sys.exception()):
        return refuse(request, 503, "Back soon", "The database does not answer. Nothing was lost.")
    request_id = getattr(request, "request_id", "")
    return refuse(
        request,
        500,
        "Something broke",
        f"The error was logged as {request_id}. What was saved before is safe. Try again, or quote this id.",
    )


def is_database_away(error: BaseException | None) -> bool:
    """Return whether the database is down, locked, full, or read-only (PostgreSQL's InternalError, SQLSTATE 25006)."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", "") == READ_ONLY
    return isinstance(error, (OperationalError, InterfaceError))
