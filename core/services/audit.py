"""The audit trail: one row for each thing that was done to something people care about."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from core.logs import CURRENT_REQUEST
from core.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import Classroom, User


def record_event(
    *,
    action: str,
    actor: "User | None",
    subject: models.Model,
    classroom: "Classroom | None" = None,
    detail: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append who did what (`action`, e.g. "exercise.published"); the request's id and address come along."""
    request = CURRENT_REQUEST.get()
    return AuditEvent.objects.create(
        at=timezone.now(),
        actor=actor,
        actor_label=str(actor or ""),
        action=action,
        object_type=subject._meta.model_name or "",
        object_id=str(subject.pk),
        classroom=classroom,
        address=request.address if request else None,
        request_id=request.request_id if request else "",
        detail=detail or {},
    )
