"""What everything stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Videos, uploads, storage, probes, logs."""

    name = "core"

    def ready(self) -> None:
        """Register the system checks, and the counting of statements."""
        from core import checks, statements  # noqa: F401
