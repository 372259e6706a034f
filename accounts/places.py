"""Where the reader of a page takes part, asked once for all that a page shows."""

from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest

from accounts.models import Membership

Role = Membership.Role
COLUMNS = ("classroom_id", "role", "classroom__name", "classroom__time_zone")


class Place(NamedTuple):
    """A class and what one is there."""

    classroom_id: UUID
    role: str
    name: str
    time_zone: str


class Places(dict[UUID, Place]):
    """Somebody's classes by key, in the order of their names."""

    def role_in(self, classroom_id: UUID) -> str | None:
        """Return what one is in a class, None for a class of others."""
        place = self.get(classroom_id)
        return place.role if place else None

    def teaches_in(self, classroom_id: UUID) -> bool:
        """Return whether one is an instructor of a class."""
        return self.role_in(classroom_id) == Role.INSTRUCTOR

    def with_role(self, role: str) -> list[UUID]:
        """Return the keys of the classes in which one is this."""
        return [place.classroom_id for place in self.values() if place.role == role]


def places(request: HttpRequest) -> Places:
    """Return where the reader takes part; one query for each request, however often it is asked."""
    found: Places | None = getattr(request, "_places", None)
    if found is None:
        found = Places((place.classroom_id, place) for place in _places(request))
        request._places = found  # type: ignore[attr-defined]
    return found


def _places(request: HttpRequest) -> list[Place]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    rows = Membership.objects.filter(user=user).order_by("classroom__name", "classroom_id")
    return [Place(*row) for row in rows.values_list(*COLUMNS)]
