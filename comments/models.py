"""Comment: something said about a video, at a moment of it or about the whole."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import VideoAsset


class Comment(models.Model):
    """Text, a drawing, or a video about `target`; times are milliseconds as the player shows them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(VideoAsset, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replies")
    at_ms = models.PositiveBigIntegerField(null=True, blank=True)
    end_ms = models.PositiveBigIntegerField(null=True, blank=True)
    text = models.TextField(max_length=5000, blank=True)
    drawing = models.JSONField(null=True, blank=True)
    video = models.OneToOneField(VideoAsset, null=True, blank=True, on_delete=models.PROTECT, related_name="said_in")
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="comment_says_something",
                condition=Q(deleted_at__isnull=False) | ~Q(text="") | Q(drawing__isnull=False) | Q(video__isnull=False),
            ),
            models.CheckConstraint(
                name="comment_range_goes_forward",
                condition=Q(end_ms__isnull=True) | Q(at_ms__isnull=False, end_ms__gt=F("at_ms")),
            ),
        ]
        indexes = [
            models.Index(fields=["target", "at_ms", "id"], name="comment_moment"),
            models.Index(fields=["created_at"], name="comment_newest"),  # what the digest asks for
        ]

    def __str__(self) -> str:
        return f"{self.author} on {self.target}"
