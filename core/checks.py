"""System checks: what Django's own do not know about Practika, each with a hint that says what to type."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import Error, connections


@checks.register(checks.Tags.database)
def check_database_answers(app_configs: Any = None, databases: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """core.E001: the database answers (`check --database default` alone passes with PostgreSQL down)."""
    messages: list[checks.CheckMessage] = []
    for alias in databases or []:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            hint = "Start the database, or mend DATABASE_URL (or DJANGO_DB_*)."
            messages.append(
                checks.Error(f"The database does not answer: {type(error).__name__}.", hint=hint, id="core.E001")
            )
    return messages


@checks.register(checks.Tags.security, deploy=True)
def check_proxy_is_counted(app_configs: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """core.W001: behind a proxy that is not counted, log-in limits see one address for everybody."""
    if not settings.PRODUCTION or settings.TRUSTED_PROXY_COUNT:
        return []
    hint = "Set DJANGO_TRUSTED_PROXY_COUNT to the number of proxies in front (1 for nginx alone)."
    message = "No proxy is trusted, so log-in limits count every visitor behind one as the same."
    return [checks.Warning(message, hint=hint, id="core.W001")]
