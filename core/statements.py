"""Counting the database's statements: every connection gets a wrapper when it is opened."""

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from core.telemetry.catalog import DATABASE_SECONDS


@receiver(connection_created)
def count_statements(sender: Any, connection: BaseDatabaseWrapper, **more: Any) -> None:
    """Time what runs on this connection; it may be opened many times, and is wrapped once."""
    if timed_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(timed_statement)


def timed_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run one statement and observe how long it took; an error stays what it is."""
    started = time.perf_counter()
    outcome = "error"
    try:
        result = execute(sql, params, many, context)
        outcome = "ok"
        return result
    finally:
        DATABASE_SECONDS.observe(time.perf_counter() - started, outcome)
