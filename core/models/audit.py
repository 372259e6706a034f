"""AuditEvent: who did what to which object, when, and from where.

The table is append-only: triggers in its migration refuse DELETE and any UPDATE but two, forgetting the
address and forgetting the actor.
"""

import uuid

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    """One thing that was done; `actor_label` still says who when the account is gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="audit_events",
    )
    actor_label = models.CharField(max_length=255, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    classroom = models.ForeignKey(
        "accounts.Classroom", null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "id"], name="audit_newest"),
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
