"""Telling people: a webhook (one JSON object; `text` is what chat services show) and e-mail."""

import json
import smtplib
from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.core.mail import EmailMessage

from core.operations.findings import CouldNotTell
from core.operations.monitor_config import Alerts
from core.operations.tables import plain
from core.operations.web import fetch


class NotDelivered(Exception):
    """The alert did not arrive; the message says why, without the webhook's address, which is a secret."""


@dataclass(frozen=True)
class Alert:
    """A probe went down or came up again: state is down or up, `since` an ISO time."""

    probe: str
    state: str
    since: str
    detail: str

    @property
    def text(self) -> str:
        """Return it as one line for people."""
        return f"Practika: {self.probe} is {self.state} since {self.since}: {self.detail}"


def ways(alerts: Alerts) -> dict[str, Callable[[Alert], None]]:
    """Return how alerts leave, by name; each raises NotDelivered."""
    found: dict[str, Callable[[Alert], None]] = {}
    if alerts.webhook:
        found["webhook"] = lambda alert: _post(alert, alerts)
    if alerts.emails:
        found["e-mail"] = lambda alert: _mail(alert, alerts)
    return found


def _post(alert: Alert, alerts: Alerts) -> None:
    body = json.dumps({"text": alert.text, **asdict(alert)}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        answer = fetch(alerts.webhook, timeout_s=alerts.timeout_s, method="POST", headers=headers, body=body)
    except CouldNotTell as error:
        raise NotDelivered(f"the webhook gave {error}") from error
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"the webhook answered {answer.status}")


def _mail(alert: Alert, alerts: Alerts) -> None:
    subject = plain(f"Practika: {alert.probe} is {alert.state}")
    try:
        EmailMessage(subject, alert.text, to=list(alerts.emails)).send()
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"the mail server gave {type(error).__name__}") from error
