"""ProcessingJob, one piece of work on a video, and ScheduledRun, when a scheduled task ran last."""

import uuid

from django.db import models


class ProcessingJob(models.Model):
    """Work on one video. A lease ends by the database's clock; every UPDATE carries the job's fence."""

    class State(models.TextChoices):
        """queued → running → done or failed."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey("core.VideoAsset", on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_ends_at = models.DateTimeField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "kind"], name="job_one_of_a_kind"),
            models.CheckConstraint(name="job_percent_within_100", condition=models.Q(percent__lte=100)),
        ]
        indexes = [models.Index(fields=["state", "lease_ends_at"], name="job_state_lease")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.video_id} ({self.state})"


class ScheduledRun(models.Model):
    """The last run of one entry of the schedule; claimed by a conditional UPDATE."""

    name = models.CharField(max_length=60, unique=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
