"""What the site holds, as Prometheus reads it.

# Note [Metrics from the database]
Every figure is counted in the database when it is asked for, so any number of web processes give the same answer
and none keeps files for the others.
"""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from core.models import StorageDeletion, Upload, VideoAsset
from core.services.queue_stats import queue_stats


class SiteCollector(Collector):
    """Counts videos, bytes, unfinished uploads, jobs, workers, and objects that wait to be removed."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        yield InfoMetricFamily(
            "practika_build", "The release.", {"version": settings.VERSION, "environment": settings.ENVIRONMENT}
        )
        videos = GaugeMetricFamily("practika_videos", "Stored videos.", labels=["state"])
        for row in VideoAsset.objects.values("state").annotate(number=Count("pk")).order_by("state"):
            videos.add_metric([row["state"]], row["number"])
        yield videos
        stored = VideoAsset.objects.aggregate(total=Sum("size_bytes"))["total"] or 0
        yield GaugeMetricFamily("practika_video_bytes", "Bytes of stored videos.", stored)
        unfinished = Upload.objects.filter(state__in=Upload.UNFINISHED)
        yield GaugeMetricFamily("practika_uploads_unfinished", "Uploads on their way in.", unfinished.count())
        oldest = unfinished.aggregate(oldest=Min("created_at"))["oldest"]
        age_s = (timezone.now() - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("practika_uploads_oldest_seconds", "Age of the oldest of them.", age_s)
        yield from _processing()
        waiting = StorageDeletion.objects.count()
        yield GaugeMetricFamily("practika_storage_deletions_waiting", "Objects that wait to be removed.", waiting)


def _processing() -> Iterator[Metric]:
    stats = queue_stats()
    jobs = GaugeMetricFamily("practika_jobs", "Work on videos.", labels=["state"])
    for state in ("queued", "running", "done", "failed"):
        jobs.add_metric([state], getattr(stats, state))
    yield jobs
    yield GaugeMetricFamily(
        "practika_jobs_oldest_wait_seconds", "The longest wait of a queued job.", stats.oldest_wait_s
    )
    yield GaugeMetricFamily("practika_workers", "Workers seen lately.", stats.workers)


def metrics_text() -> bytes:
    """Return every figure in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector())
    return generate_latest(registry)
