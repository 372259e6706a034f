"""How the backups are, as the schedule saw them last: for readiness, metrics, and whoever asks the audit trail.

# Note [Seen by the schedule]
What backups there are stands in their place alone, which may be a slow bucket on another continent. The schedule looks
there every hour and writes down what is news in the audit trail; probes read the newest two rows. So a backup made by
hand or by cron counts as well, and one that was lost or damaged later does not count any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from core.backup.manifest import Manifest
from core.models import AuditEvent

SUBJECT = {"object_type": "backup", "object_id": "site"}
VERIFIED, FAILED = "backup.verified", "backup.failed"
USUAL_PERIOD = timedelta(hours=24)
#: A backup that is late by half a period is missing: the schedule tries every hour.
PATIENCE = 1.5
SENTENCE_CHARACTERS = 300


@dataclass(frozen=True)
class BackupState:
    """The newest verified backup (None: none was seen), and why the last attempt failed (empty: it did not)."""

    backup_id: str | None
    made_at: datetime | None
    size_bytes: int
    failure: str


def backup_state() -> BackupState:
    """Return what was written down last; two queries. May raise DatabaseError."""
    events = AuditEvent.objects.filter(**SUBJECT).order_by("-at", "-pk")
    last = events.first()
    good = last if last is None or last.action == VERIFIED else events.filter(action=VERIFIED).first()
    failure = str(last.detail.get("problem", "")) if last is not None and last.action == FAILED else ""
    if good is None:
        return BackupState(None, None, 0, failure)
    made_at = datetime.fromisoformat(good.detail["created_at"])
    return BackupState(good.detail["backup_id"], made_at, good.detail["size_bytes"], failure)


def backup_problem() -> str:
    """Return a sentence when backups are wanted and there is no fresh verified one, or the last attempt failed."""
    if not settings.BACKUP_ROOT:
        return ""
    state = backup_state()
    if state.failure:
        return state.failure
    if state.made_at is None:
        return "No verified backup was seen yet: a worker makes one within the hour."
    age = timezone.now() - state.made_at
    if age > PATIENCE * (backup_period() or USUAL_PERIOD):
        return f"The newest verified backup is {age.total_seconds() / 3600:.0f} hours old."
    return ""


def backup_period() -> timedelta | None:
    """Return how often a worker makes a backup, or None when somebody else does."""
    return timedelta(hours=settings.BACKUP_EVERY_HOURS) or None


def record_verified(manifest: Manifest, *, now: datetime) -> None:
    """Write down that this is the newest verified backup, if that is news."""
    state = backup_state()
    if state.backup_id == manifest.id and not state.failure:
        return
    detail = {"backup_id": manifest.id, "created_at": manifest.created_at, "size_bytes": manifest.size_bytes}
    AuditEvent.objects.create(at=now, action=VERIFIED, detail=detail, **SUBJECT)


def record_failure(sentence: str, *, now: datetime) -> None:
    """Write down why there is no new verified backup, if that is news."""
    sentence = sentence[:SENTENCE_CHARACTERS]
    if backup_state().failure != sentence:
        AuditEvent.objects.create(at=now, action=FAILED, detail={"problem": sentence}, **SUBJECT)
