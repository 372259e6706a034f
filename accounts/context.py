"""What every page may ask about the reader; nothing is looked up unless a template asks."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.places import Role, places


def reader(request: HttpRequest) -> dict[str, object]:
    """Return `teaches` (lazy) and `signup_open`."""
    return {
        "teaches": SimpleLazyObject(lambda: bool(places(request).with_role(Role.INSTRUCTOR))),
        "signup_open": settings.ALLOW_SIGNUP,
    }
