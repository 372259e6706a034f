"""Everything that Prometheus reads, in its text format.

# Note [Three sources]
What happens (requests, parts, calls) is counted by the processes where it happens (core/telemetry); what the site
holds is asked of the database (core/services/site_figures.py); what it stands on is asked by the readiness checks,
which never hang. When the database does not answer, the two others are told all the same: they are needed then.
"""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import Error as DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from core.draining import is_draining
from core.services.components import media_disk_usage
from core.services.readiness import DEGRADED, FAIL, OK, Component, check_readiness
from core.services.site_figures import site_figures
from core.telemetry.gathering import families

logger = logging.getLogger(__name__)

UP = {OK: 1, DEGRADED: 0.5, FAIL: 0}


class _Ready(Collector):
    """Metrics that are made already, so that an error is met before an answer begins."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics


def metrics_text() -> bytes:
    """Return every figure in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(exposed()))
    return generate_latest(registry)


def exposed() -> list[Metric]:
    """Return every figure of this moment (Note [Three sources])."""
    components = check_readiness()
    return [_build(), *_components(components), *_disk(), *_of_database(components), *families()]


def _build() -> Metric:
    about = {"version": settings.VERSION, "environment": settings.ENVIRONMENT}
    return InfoMetricFamily("practika_build", "The release.", about)


def _components(components: list[Component]) -> list[Metric]:
    up = GaugeMetricFamily("practika_component_up", "1: ok; 0.5: degraded; 0: it fails.", labels=["component"])
    seconds = GaugeMetricFamily("practika_component_seconds", "How long that check took.", labels=["component"])
    for component in components:
        up.add_metric([component.name], UP[component.state])
        seconds.add_metric([component.name], component.milliseconds / 1000)
    stopped = is_draining() or any(component.stops_traffic for component in components)
    return [up, seconds, GaugeMetricFamily("practika_ready", "1: readiness answers 200.", int(not stopped))]


def _disk() -> list[Metric]:
    """Return how the disk is that videos come in on."""
    usage = media_disk_usage()
    free = GaugeMetricFamily("practika_disk_free_bytes", "Free on the disk of DJANGO_MEDIA_ROOT.", usage.free)
    return [free, GaugeMetricFamily("practika_disk_bytes", "Size of that disk.", usage.total)]


def _of_database(components: list[Component]) -> list[Metric]:
    """Return what the database tells, or nothing: a database that hangs would keep the answer waiting."""
    if not any(component.name == "database" and component.ok for component in components):
        return []
    try:
        return list(site_figures())
    except DatabaseError:
        logger.warning("Metrics lack what the database knows", exc_info=True)
        return []
