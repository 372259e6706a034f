"""Upload: a video on its way in. Its row is written before the first byte is stored.

# Note [The row comes first]
The key an upload will be stored under is in its row before any byte lies there. Whatever is killed when, an
object that no VideoAsset names is named by an Upload, and the sweep finds it.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Upload(models.Model):
    """One upload; each change of `state` is a conditional UPDATE, so that only one caller makes it."""

    class State(models.TextChoices):
        """open → completing → complete, or open → aborting → aborted."""

        OPEN = "open"
        COMPLETING = "completing"
        COMPLETE = "complete"
        ABORTING = "aborting"
        ABORTED = "aborted"

    UNFINISHED = (State.OPEN, State.COMPLETING, State.ABORTING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads")
    classroom = models.ForeignKey("accounts.Classroom", on_delete=models.PROTECT, related_name="uploads")
    client_token = models.CharField(max_length=64)
    storage_path = models.CharField(max_length=200, unique=True)
    backend = models.CharField(max_length=8)
    backend_upload_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    original_name = models.CharField(max_length=120, blank=True)
    mime_type = models.CharField(max_length=40, blank=True)
    declared_size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    reserved_bytes = models.PositiveBigIntegerField(default=0)
    part_size_bytes = models.PositiveIntegerField(default=0)
    expected_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    video = models.OneToOneField(
        "core.VideoAsset", null=True, blank=True, on_delete=models.PROTECT, related_name="upload"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "client_token"], name="upload_token_once_per_owner"),
            models.CheckConstraint(
                name="upload_complete_has_video",
                condition=Q(state="complete", video__isnull=False) | (~Q(state="complete") & Q(video__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["state", "last_activity_at"], name="upload_state_activity")]

    def __str__(self) -> str:
        return f"{self.original_name or self.pk} ({self.state})"
