"""Answers for operators' machines: alive, ready, figures."""

import time
from functools import lru_cache
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from core.addresses import client_address
from core.draining import is_draining
from core.health import HealthAnswer
from core.http import meant
from core.services.metrics import metrics_text
from core.services.readiness import check_readiness


@login_not_required
@csrf_exempt
def health_check(request: HttpRequest) -> HttpResponse:
    """Answer as the WSGI entry does, for servers and test clients that bypass it."""
    status, headers, body = _health_answer().answer(request.method or "", time.perf_counter())
    return HttpResponse(body, status=int(status[:3]), headers=dict(headers))


@login_not_required
@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Return each component as ok, degraded, or fail with milliseconds: 503 when one that traffic needs fails.

    A server that was told to stop answers 503 and `draining` at once, and checks nothing any more.
    """
    ends = is_draining()
    components = [] if ends else check_readiness()
    is_ready = not ends and not any(component.stops_traffic for component in components)
    is_whole = all(component.ok for component in components)
    unready = "draining" if ends else "unready"
    response = JsonResponse(
        {
            "status": ("ready" if is_whole else "degraded") if is_ready else unready,
            "components": {
                component.name: {
                    "status": component.state,
                    "milliseconds": component.milliseconds,
                }
                for component in components
            },
        },
        status=200 if is_ready else 503,
        headers={"Cache-Control": "no-store"},
    )
    return meant(response)  # a check that fails is logged with its reason


@login_not_required
@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures to whoever knows METRICS_TOKEN (`Authorization: Bearer …`) or asks from METRICS_NETWORKS.

    404 while neither is set, and for addresses elsewhere while only the second is.
    """
    if not _comes_from_known_network(request):
        if not settings.METRICS_TOKEN:
            raise Http404
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not constant_time_compare(given, settings.METRICS_TOKEN):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
    return HttpResponse(metrics_text(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _comes_from_known_network(request: HttpRequest) -> bool:
    if not settings.METRICS_NETWORKS:
        return False
    address = client_address(request, trusted_proxy_count=settings.TRUSTED_PROXY_COUNT)
    return address is not None and any(ip_address(address) in network for network in settings.METRICS_NETWORKS)


@lru_cache(maxsize=1)
def _health_answer() -> HealthAnswer:
    return HealthAnswer(version=settings.VERSION, environment=settings.ENVIRONMENT)
