"""Throttling over HTTP: what may be done how often, by one account and from one address.

# Note [One mechanism]
`settings.THROTTLED` names the limit of each view, `settings.LIMITS` the numbers. A request is counted before its view
runs and before its body is read; what is refused costs two small queries, no password is hashed, no mail is sent.
A page that is only read is not counted: it would cost a write. What the API reads, and the signing of parts, of which
an upload has hundreds, are counted in the memory of each process (core/process_limits.py).

allauth's own limits stay for what needs to be logged in, or a secret link, before it can be tried (changing an
address, confirming a password); those for log-in, sign-up, and reset are off, because these count both by account and
by address, are never lost with a cache, and say when to come again.

An account is whoever is logged in, or else the address that was typed, whether or not it has an account here: the
answer must not tell. A log-in that succeeds is given back to its account, so that only failures close it.

An address is the one that `core.addresses` believes; of IPv6 the /64, which is what one subscriber has. Those
without any share one.
"""

import hashlib
import ipaddress
import logging
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.addresses import client_address
from core.body import leave_unread
from core.http import refuse
from core.limits import Limit
from core.process_limits import HERE
from core.services.throttling import Throttled, give_back, use
from core.telemetry.catalog import LOGINS

logger = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
APIS = ("/core/api/", "/accounts/api/")
API_READS = "api_reads"
LOG_IN = "log_in"
#: Where the address of an account is typed: view → field of allauth's form.
TYPED = {"account_login": "login", "account_signup": "email", "account_reset_password": "email"}


class ThrottlingMiddleware:
    """Answers 429 with Retry-After to whoever asks too often; stands behind the authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer of the rest of the site."""
        response = self.get_response(request)
        used = getattr(request, "log_in_used", None)
        if used and request.user.is_authenticated:
            give_back(key=used, limit=settings.LIMITS[LOG_IN][0])
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Count the request; return the refusal when there were too many."""
        name = _limit_name(request)
        if name is None:
            return None
        try:
            _count(request, name)
        except Throttled as error:
            return _refusal(request, name, error.retry_after_s)
        return None


def _count(request: HttpRequest, name: str) -> None:
    """Use the limits of that name once; raises Throttled."""
    if name == API_READS:
        HERE.use(dict(_keys(request, name)))
        return
    with transaction.atomic():
        for key, limit in _keys(request, name):
            use(key=key, limit=limit, now=timezone.now())


def _limit_name(request: HttpRequest) -> str | None:
    """Return which limit counts this request, if any."""
    route = _route(request)
    is_api = request.path.startswith(APIS)
    if route in settings.UNTHROTTLED:
        return None
    if request.method in SAFE or route in settings.SIGNING:
        return API_READS if is_api else None
    return settings.THROTTLED.get(route) or ("api" if is_api else None)


def _route(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _keys(request: HttpRequest, name: str) -> Iterator[tuple[str, Limit]]:
    """Yield what is to be counted, always in this order, so that two requests never wait for each other in a ring."""
    of_account, of_address = settings.LIMITS[name]
    yield f"{name} address {_address(request)}", of_address
    account = _account(request)
    if account:
        key = f"{name} account {account}"
        if name == LOG_IN:
            request.log_in_used = key  # type: ignore[attr-defined]
        yield key, of_account


def _account(request: HttpRequest) -> str:
    if request.user.is_authenticated:
        return str(request.user.pk)
    if _route(request) in TYPED:
        typed = request.POST.get(TYPED[_route(request)], "")
        return hashlib.sha256(typed.strip().casefold().encode(errors="replace")).hexdigest()
    return ""


def _address(request: HttpRequest) -> str:
    address = client_address(request, trusted_proxy_count=settings.TRUSTED_PROXY_COUNT)
    if address and ":" in address:
        return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)
    return address or "unknown"


def _refusal(request: HttpRequest, name: str, seconds: int) -> HttpResponse:
    logger.info("Request throttled", extra={"limit": name, "retry_after_s": seconds})
    if name == LOG_IN:
        LOGINS.add("throttled")
    leave_unread(request.META)
    return refuse(
        request,
        429,
        "Too often",
        "This was tried too often in a short time. Nothing was changed.",
        retry_after_s=seconds,
    )
