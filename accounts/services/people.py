"""What can be done with an account."""

from datetime import datetime

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from accounts.models import User
from core.services.audit import record_event


def note_seen(*, user: User, now: datetime) -> None:
    """Remember when the person was last here."""
    User.objects.filter(pk=user.pk).update(last_seen_at=now)


def set_password_link(*, user: User, asked_by: User) -> str:
    """Return a link with which the person sets a password, once and within PASSWORD_RESET_TIMEOUT."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    uid, _, token = key.partition("-")
    record_event(action="user.password_link_made", actor=asked_by, subject=user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    return f"{settings.BASE_URL}{path}"


def verify_address(*, user: User) -> None:
    """Make the account's address its verified, primary one; any other stops being primary."""
    EmailAddress.objects.filter(user=user, primary=True).exclude(email__iexact=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=user.email.lower(), defaults={"verified": True, "primary": True}
    )
