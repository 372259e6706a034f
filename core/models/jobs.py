"""ProcessingJob, one piece of work on a video; Worker, who does it; ScheduledRun, when a scheduled entry ran last.

# Note [The row is the truth]
The queue of tasks only says that somebody should look at a job. What is done about a video, by whom, and until
when, stands in the job's own row: a worker takes it by a conditional UPDATE that raises `fence`, renews its lease
while it works, and every later UPDATE names that fence. A worker that was thought dead and comes back finds its
fence outdated and stops without a trace. So a task may be lost or delivered twice, and nothing goes wrong.
Leases begin and end by the database's clock, whatever the machines' clocks say.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ProcessingJob(models.Model):
    """Work on one video: queued → running → done or failed; see Note [The row is the truth]."""

    class Kind(models.TextChoices):
        """What is made."""

        VERIFY = "verify", "checked original"
        WEB = "web", "web-playable version"
        THUMBNAILS = "thumbnails", "timeline thumbnails"

    class State(models.TextChoices):
        """How far it is."""

        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey("core.VideoAsset", on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    task_id = models.UUIDField(null=True, blank=True, db_index=True)
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    lease_ends_at = models.DateTimeField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    UNFINISHED = (State.QUEUED, State.RUNNING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "kind"], name="job_one_of_a_kind"),
            models.CheckConstraint(
                name="job_state_known", condition=Q(state__in=["queued", "running", "done", "failed"])
            ),
            models.CheckConstraint(
                name="job_running_has_lease",
                condition=Q(state="running", lease_ends_at__isnull=False)
                | (~Q(state="running") & Q(lease_ends_at__isnull=True)),
            ),
            models.CheckConstraint(name="job_percent_within_100", condition=Q(percent__lte=100)),
        ]
        indexes = [models.Index(fields=["state", "lease_ends_at"], name="job_state_lease")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.video_id} ({self.state})"


class Worker(models.Model):
    """A worker process that was seen: `manage.py worker` renews `seen_at` while it lives."""

    name = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class ScheduledRun(models.Model):
    """The last run of one entry of the schedule; claimed by a conditional UPDATE."""

    name = models.CharField(max_length=60, unique=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
