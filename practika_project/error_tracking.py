"""Errors go to Sentry when an operator names one, without anything that is about a person.

# Note [What may leave]
What is sent is chosen, not what is left out: kind and place of the error, the code around it, the route and the method
of the request, release, environment, and machine, and the request's id, by which the log tells the rest. No cookie,
header, body, variable, user, address, query, log field, or breadcrumb. The sentence of an error may quote a row or a
link, so e-mail addresses, and whatever follows a question mark or a path that carries a secret, are cut out of it.
"""

import re
from typing import Any

from core.logs import CURRENT_REQUEST

KEPT = (
    "event_id",
    "timestamp",
    "platform",
    "level",
    "logger",
    "release",
    "environment",
    "server_name",
    "transaction",
    "sdk",
)
_EMAIL = re.compile(r"[^\s@<>()\[\]\"',;:=]+@[^\s@<>()\[\]\"',;:=]+")
_QUERY = re.compile(r"\?[^\s\"'<>)]+")
# Links whose path is the secret: a signed video, a set-password link, the confirmation of an address.
_SECRET_PATH = re.compile(r"(/core/media/|/password/reset/key/|/confirm-email/)[^\s/\"'<>)]+")


def start_error_tracking(*, dsn: str, environment: str, version: str) -> None:
    """Send every unhandled exception and every ERROR line from now on, in a thread of its own.

    Raises ValueError when `dsn` is no address of a Sentry project.
    """
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=f"practika@{version}",
        integrations=[DjangoIntegration(transaction_style="url", middleware_spans=False, signals_spans=False)],
        auto_enabling_integrations=False,
        before_send=without_people,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def without_people(event: Any, hint: dict[str, Any]) -> Any:
    """Return what of an event may leave (Note [What may leave])."""
    kept = {name: event[name] for name in KEPT if name in event}
    kept["exception"] = _scrubbed(event.get("exception") or {})
    kept["message"] = _scrubbed((event.get("logentry") or {}).get("message") or event.get("message") or "")
    request = CURRENT_REQUEST.get()
    if request:
        kept["request"] = {"method": request.method}
        kept["tags"] = {"request_id": request.request_id}
    return kept


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return _EMAIL.sub("[e-mail]", _SECRET_PATH.sub(r"\1[removed]", _QUERY.sub("?[removed]", value)))
    if isinstance(value, dict):
        return {name: _scrubbed(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part) for part in value]
    return value
