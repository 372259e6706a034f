"""How our JSON endpoints receive: who, then the token, then the body, each refused by a problem.

# Note [Who before the token]
A program that is not logged in must hear 401, not that a token is missing, so these views are exempt from Django's
CSRF middleware and make the same check after the log-in. The token comes in the X-CSRFToken header alone: the body
is neither a form nor read before both are answered.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from core.http import problem, storage_refusal, unauthorized
from core.storage.base import StorageUnavailable

MAX_BODY_BYTES = 64 * 1024
View = Callable[..., HttpResponse]


class BadBody(Exception):
    """The body is not what the endpoint takes; `status`, `title`, and `sentence` say so."""

    def __init__(self, status: int, title: str, sentence: str):
        super().__init__(sentence)
        self.status, self.title, self.sentence = status, title, sentence


def json_api(view: View) -> View:
    """Let only logged-in people with a token reach the view; a storage that does not answer is a problem, too."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def guarded_view(request: WSGIRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return unauthorized()
        try:
            return _csrf_refusal(request) or view(request, *args, **kwargs)
        except BadBody as error:
            return problem(error.status, error.title, error.sentence)
        except StorageUnavailable as error:
            return storage_refusal(request, error)

    return guarded_view


def later(status: int, title: str, detail: str, *, seconds: int, **members: Any) -> HttpResponse:
    """Return a problem that says when to try again."""
    answer = problem(status, title, detail, **members)
    answer["Retry-After"] = str(seconds)
    return answer


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the body, one JSON object of at most 64 KiB that can be stored as text; raises BadBody."""
    if request.content_type != "application/json":
        raise BadBody(415, "Not JSON", "Send one JSON object as application/json.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
        raise BadBody(413, "Too large", "A request may have up to 64 KiB. Nothing was kept.")
    try:
        value = json.loads(request.body, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError) as error:
        raise BadBody(
            400, "Not JSON", "The request is not a JSON object that can be read. Nothing was kept."
        ) from error
    if not isinstance(value, dict):
        raise BadBody(422, "Not an object", "Send one JSON object with named fields.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")


def _csrf_refusal(request: WSGIRequest) -> HttpResponse | None:
    """Check the token as Django does, on the same request without its body."""
    if request.method in ("GET", "HEAD"):
        return None
    checked: Any = WSGIRequest({**request.environ, "REQUEST_METHOD": "PUT"})
    checked._dont_enforce_csrf_checks = getattr(request, "_dont_enforce_csrf_checks", False)
    middleware = CsrfViewMiddleware(_never_called)
    middleware.process_request(checked)
    return middleware.process_view(checked, _never_called, (), {})


def _never_called(request: HttpRequest) -> HttpResponse:
    """Stand for the view in the CSRF check, which exempts by the view's attributes."""
    raise AssertionError("never called")
