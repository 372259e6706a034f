"""What every page may ask about the reader; nothing is looked up unless a template asks."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Classroom


def reader(request: HttpRequest) -> dict[str, object]:
    """Return `teaches` (lazy, one query) and `signup_open`."""
    user = getattr(request, "user", None)
    return {
        "teaches": SimpleLazyObject(lambda: user is not None and Classroom.objects.taught_by(user).exists()),
        "signup_open": settings.ALLOW_SIGNUP,
    }
