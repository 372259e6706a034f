"""How log-in and sign-up behave here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from core.telemetry.catalog import LOGINS


class AccountAdapter(DefaultAccountAdapter):
    """allauth's rules with ours: sign-up only when the operator opened it."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This address and this password do not belong together. Check both, and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether people may make an account themselves; it has no role in any class."""
        return bool(settings.ALLOW_SIGNUP)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a wrong password, or an account that is not there."""
        super().authentication_failed(request, **credentials)
        LOGINS.add("failed")

    def login(self, request: HttpRequest, user: Any) -> None:
        """Log the person in, and count it."""
        super().login(request, user)
        LOGINS.add("ok")

    def render_mail(self, template_prefix: str, email: str, context: dict[str, Any], headers: Any = None) -> Any:
        """Return the mail; it says it is Practika's, and where that is, whatever host the request named."""
        return super().render_mail(template_prefix, email, {**context, "site_url": settings.BASE_URL}, headers)
