"""Where the next page of a list begins: the moment and the key of the last row shown, as a link carries them."""

from datetime import UTC, datetime
from uuid import UUID

CURSOR_CHARACTERS = 80


def cursor_after(moment: datetime, pk: UUID) -> str:
    """Return the cursor of the row with this moment and key."""
    return f"{moment.isoformat()}_{pk}"


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    """Return the moment (in UTC) and the key, or None for anything that is not a cursor of ours."""
    moment, _, key = text[:CURSOR_CHARACTERS].partition("_")
    try:
        at, pk = datetime.fromisoformat(moment), UUID(key)
        return (at.astimezone(UTC), pk) if at.tzinfo else None
    except (ValueError, OverflowError):  # the latter: a moment that UTC cannot say
        return None
