"""What an operator asks first about processing: how much waits, since when, what failed, who works."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, Min, Q, Value, When
from django.utils import timezone

from core.models import ProcessingJob, VideoAsset, Worker

SEEN_WITHIN = timedelta(seconds=30)
State = ProcessingJob.State
REFUSED = "refused"
_REFUSED = Q(state=State.FAILED, video__state=VideoAsset.State.FAILED)


@dataclass(frozen=True)
class QueueStats:
    """Counts of jobs by state, the longest wait in seconds, workers seen within SEEN_WITHIN.

    `refused` are the checks that found no video: their senders know, and nobody can do anything about them, so they
    are not among `failed`.
    """

    queued: int
    running: int
    done: int
    failed: int
    refused: int
    oldest_wait_s: float
    workers: int

    @property
    def is_stuck(self) -> bool:
        """Return whether something waits and nobody works."""
        return self.queued > 0 and self.workers == 0

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {**asdict(self), "stuck": self.is_stuck}


def queue_stats() -> QueueStats:
    """Return the figures of this moment; two queries, whatever the number of jobs."""
    now = timezone.now()
    said = Case(When(_REFUSED, then=Value(REFUSED)), default="state")
    rows = ProcessingJob.objects.values(said=said).annotate(jobs=Count("pk"), oldest=Min("queued_at")).order_by("said")
    jobs = {row["said"]: row["jobs"] for row in rows}
    oldest = next((row["oldest"] for row in rows if row["said"] == State.QUEUED), None)
    return QueueStats(
        **{state: jobs.get(state, 0) for state in [*State.values, REFUSED]},
        oldest_wait_s=round(max(0.0, (now - oldest).total_seconds()), 1) if oldest else 0.0,
        workers=Worker.objects.filter(seen_at__gt=now - SEEN_WITHIN).count(),
    )


def failed_jobs(limit: int = 50) -> list[ProcessingJob]:
    """Return the newest failed jobs with their videos, but for those that found no video."""
    failed = ProcessingJob.objects.filter(state=State.FAILED).exclude(_REFUSED).select_related("video")
    return list(failed.order_by("-queued_at", "pk")[:limit])
