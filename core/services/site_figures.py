"""What the site holds, counted in the database when it is asked for: any process gives the same answer."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core.models import StorageDeletion, Upload, VideoAsset
from core.services.backup_state import backup_state
from core.services.queue_stats import queue_stats

CONNECTIONS = """
SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def site_figures() -> Iterator[Metric]:
    """Yield the figures of this moment; may raise DatabaseError."""
    yield from _videos()
    yield from _uploads()
    yield from _queue()
    yield from _backups()
    yield from _connections()
    lately = timezone.now() - timedelta(days=1)
    seen = get_user_model().objects.filter(last_seen_at__gte=lately).count()
    yield GaugeMetricFamily("practika_people_seen", "Accounts that were here within a day.", seen)
    waiting = StorageDeletion.objects.count()
    yield GaugeMetricFamily("practika_storage_deletions_waiting", "Objects that wait to be removed.", waiting)
    yield GaugeMetricFamily("practika_database_bytes", "Size of the database.", _database_bytes())


def _videos() -> Iterator[Metric]:
    videos = GaugeMetricFamily("practika_videos", "Stored videos.", labels=["state"])
    for row in VideoAsset.objects.values("state").annotate(number=Count("pk")).order_by("state"):
        videos.add_metric([row["state"]], row["number"])
    yield videos
    stored = VideoAsset.objects.aggregate(total=Sum("size_bytes"))["total"] or 0
    yield GaugeMetricFamily("practika_video_bytes", "Bytes of stored videos.", stored)


def _uploads() -> Iterator[Metric]:
    unfinished = Upload.objects.filter(state__in=Upload.UNFINISHED).aggregate(
        number=Count("pk"), oldest=Min("created_at")
    )
    yield GaugeMetricFamily("practika_uploads_unfinished", "Uploads on their way in.", unfinished["number"])
    age = timezone.now() - unfinished["oldest"] if unfinished["oldest"] else timedelta()
    yield GaugeMetricFamily("practika_uploads_oldest_seconds", "Age of the oldest of them.", age.total_seconds())


def _queue() -> Iterator[Metric]:
    stats = queue_stats()
    jobs = GaugeMetricFamily("practika_jobs", "Work on videos.", labels=["state"])
    for state in ("queued", "running", "done", "failed", "refused"):
        jobs.add_metric([state], getattr(stats, state))
    yield jobs
    yield GaugeMetricFamily(
        "practika_jobs_oldest_wait_seconds", "The longest wait of a queued job.", stats.oldest_wait_s
    )
    yield GaugeMetricFamily("practika_workers", "Workers seen lately.", stats.workers)


def _backups() -> Iterator[Metric]:
    yield GaugeMetricFamily("practika_backup_wanted", "1: DJANGO_BACKUP_ROOT is set.", int(bool(settings.BACKUP_ROOT)))
    state = backup_state()
    failed = int(bool(state.failure))
    yield GaugeMetricFamily("practika_backup_failed", "1: the last attempt, or look at the place, failed.", failed)
    made_s = state.made_at.timestamp() if state.made_at else 0
    yield GaugeMetricFamily(
        "practika_backup_verified_timestamp_seconds", "When the newest verified backup was made; 0: none.", made_s
    )
    yield GaugeMetricFamily("practika_backup_verified_bytes", "Its size.", state.size_bytes)


def _connections() -> Iterator[Metric]:
    """Yield how many of the server's connections are in use, by any program; without samples for a file."""
    used = GaugeMetricFamily("practika_database_connections", "Connections to the database's server.")
    most = GaugeMetricFamily("practika_database_connections_limit", "How many it takes.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(CONNECTIONS)
            numbers = cursor.fetchone()
        used.add_metric([], numbers[0])
        most.add_metric([], numbers[1])
    yield from (used, most)


def _database_bytes() -> int:
    if connection.vendor == "postgresql":
        statement = "SELECT pg_database_size(current_database())"
    else:
        statement = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
