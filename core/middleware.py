"""Middleware of ours: request id and access line, no host check for probes, what browsers may do with a page."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.utils.functional import LazyObject, empty

from core.addresses import client_address
from core.logs import CURRENT_REQUEST, RequestContext
from core.telemetry.catalog import REQUEST_SECONDS, REQUESTS, THROTTLED

# The recorder needs camera and microphone; a page of Practika needs nothing else, and frames get nothing.
PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=(self)" for feature in ("camera", "microphone", "fullscreen", "picture-in-picture")]
    + [f"{feature}=()" for feature in ("geolocation", "payment", "usb", "display-capture", "browsing-topics")]
)
DEVELOPERS_PAGES = frozenset({404, 500})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger("core.access")


class NamedRequest(HttpRequest):
    """A request after RequestIdMiddleware."""

    request_id: str
    log_context: RequestContext


class RequestIdMiddleware:
    """Names every request, in its log lines and in its X-Request-ID answer header, logs it once, and counts it.

    It stands first. An id that the caller (a load balancer, mostly) sent is kept when it is one to 64 plain
    characters; anything else could forge log lines, and gets a new one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: NamedRequest) -> HttpResponse:
        """Return the answer of the rest of the site with its id."""
        started = time.perf_counter()
        request.request_id = _request_id(request)
        context = RequestContext(
            request_id=request.request_id,
            method=request.method or "",
            path=request.path,
            user_id=lambda: evaluated_user_id(request),
            address=client_address(request, trusted_proxy_count=settings.TRUSTED_PROXY_COUNT),
        )
        request.log_context = context
        token = CURRENT_REQUEST.set(context)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request.request_id
            seconds = time.perf_counter() - started
            _count(request, response.status_code, seconds)
            if _is_worth_a_line(request.path):
                duration_ms = round(seconds * 1000, 2)
                fields = {"status": response.status_code, "duration_ms": duration_ms}
                logger.info("Request served", extra=fields)
            return response
        finally:
            CURRENT_REQUEST.reset(token)


class ProbeAwareCommonMiddleware(CommonMiddleware):
    """CommonMiddleware without the host check for probes, which ask an address, not a name."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Return a redirect, or None; raise DisallowedHost for a host that is not ours."""
        return None if request.path in settings.PROBE_PATHS else super().process_request(request)


class PoliciesMiddleware:
    """Tells browsers what our pages may load (CSP), which features they may use, and to keep them for one's own eyes.

    A view may have said something else. The policies are the same for every page, so they are put together once;
    django-csp's own middleware does it each time, which cost more than finding the session. Django's pages for
    developers have styles of their own and no policy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.content_security_policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer with what was not said about it."""
        response = self.get_response(request)
        response.setdefault("Cache-Control", "private, no-cache")
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not (settings.DEBUG and response.status_code in DEVELOPERS_PAGES):
            response.setdefault("Content-Security-Policy", self.content_security_policy)
        return response


def evaluated_user_id(request: HttpRequest) -> str | None:
    """Return the user's key if the user is looked up already; logging must not cause the query."""
    user = getattr(request, "user", None)
    if user is None or (isinstance(user, LazyObject) and user._wrapped is empty):
        return None
    return None if user.pk is None else str(user.pk)


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _count(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in METHODS else "other"
    match = request.resolver_match
    # Some answers are given before a route is looked for; a path is never a label, anybody could make millions.
    route = match.view_name if match else "static" if request.path.startswith(settings.STATIC_URL) else "none"
    REQUESTS.add(route, method, str(status))
    REQUEST_SECONDS.observe(seconds, route, method)
    if status == 429:
        THROTTLED.add(route)


def _is_worth_a_line(path: str) -> bool:
    return path not in settings.PROBE_PATHS and not path.startswith(settings.STATIC_URL)
