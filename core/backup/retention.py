"""Which backups stay: the newest verified one of each of the last days, weeks, and months that have any.

# Note [Counted, not aged]
Age alone never removes anything: a site whose backups stopped working last year keeps all of last year's steps.
Days, weeks and months that have a verified backup are counted; those without one do not use up a place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAILY, WEEKLY, MONTHLY = 7, 5, 12
#: A restore makes a copy of the site as it was: the good backup of that day must not give way to it.
ALL_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class Kept:
    """One backup, when it was made, and whether its restore drill passed."""

    id: str
    time: datetime
    verified: bool


def to_remove(backups: Iterable[Kept]) -> list[str]:
    """Return the ids of backups that may go, the oldest first; see Note [Counted, not aged].

    With no verified backup nothing goes. What is not verified counts for nothing, and goes once it is older than the
    newest verified one, which always stays, as do those of the day before it.
    """
    known = sorted(backups, key=lambda backup: (backup.time, backup.id), reverse=True)
    verified = [backup for backup in known if backup.verified]
    if not verified:
        return []
    stays = {backup.id for backup in known if (backup.time, backup.id) >= (verified[0].time, verified[0].id)}
    stays |= {backup.id for backup in verified if backup.time >= verified[0].time - ALL_WITHIN}
    stays |= _newest_of_each(verified, lambda time: time.date().toordinal(), DAILY)
    stays |= _newest_of_each(verified, lambda time: time.isocalendar()[:2], WEEKLY)
    stays |= _newest_of_each(verified, lambda time: (time.year, time.month), MONTHLY)
    return [backup.id for backup in reversed(known) if backup.id not in stays]


def _newest_of_each(newest_first: list[Kept], period: Callable[[datetime], object], how_many: int) -> set[str]:
    chosen: dict[object, str] = {}
    for backup in newest_first:
        chosen.setdefault(period(backup.time.astimezone(UTC)), backup.id)
    return set(list(chosen.values())[:how_many])
