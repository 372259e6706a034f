"""Reading the audit trail: who did what to which object."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from core.models import AuditEvent

AGO = re.compile(r"([0-9]{1,4})([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class BadMoment(Exception):
    """What was typed is no moment; the message says what would be."""


def events(
    *, actor: str = "", action: str = "", subject: str = "", since: datetime | None = None, limit: int = 50
) -> list[AuditEvent]:
    """Return the newest events that match all that is given, the newest first.

    `actor` is an e-mail address, a name as it was written down, or a key; `action` is one (`exercise.published`) or a
    family (`exercise`); `subject` a key, a kind, or `kind:key`.
    """
    found = AuditEvent.objects.select_related("actor")
    if actor:
        found = found.filter(_by(actor))
    if action:
        found = found.filter(Q(action=action) | Q(action__startswith=f"{action}."))
    if subject:
        kind, colon, key = subject.partition(":")
        found = found.filter(
            Q(object_type=kind, object_id=key) if colon else Q(object_id=subject) | Q(object_type=subject)
        )
    if since is not None:
        found = found.filter(at__gte=since)
    return list(found.order_by("-at", "pk")[:limit])


def read_moment(text: str, *, now: datetime) -> datetime:
    """Return the moment of "30m", "6h", "7d", "2w" ago, or of an ISO date or time (UTC unless it says).

    Raises BadMoment.
    """
    if ago := AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        moment = parse_datetime(text)
        day = None if moment else parse_date(text)
    except ValueError:
        moment = day = None
    if day is not None:
        moment = datetime(day.year, day.month, day.day)
    if moment is None:
        raise BadMoment(f"{text!r} is no moment. Write 30m, 6h, 7d, 2w, or 2026-01-31, or 2026-01-31T12:00Z.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def to_json(event: AuditEvent) -> dict[str, Any]:
    """Return an event's fields as JSON holds them."""
    return {
        "at": event.at.isoformat(),
        "actor": actor_text(event),
        "action": event.action,
        "object": f"{event.object_type}:{event.object_id}",
        "address": event.address or "",
        "request_id": event.request_id,
        "detail": event.detail,
    }


def actor_text(event: AuditEvent) -> str:
    """Return who it was: the address, or what was written down when the account is gone."""
    return event.actor.get_username() if event.actor else event.actor_label


def _by(actor: str) -> Q:
    named = Q(actor_label__iexact=actor) | Q(**{f"actor__{get_user_model().USERNAME_FIELD}__iexact": actor})
    try:
        return named | Q(actor_id=get_user_model()._meta.pk.to_python(actor))
    except ValidationError:
        return named
