"""What everything stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Videos, uploads, storage, probes, logs."""

    name = "core"

    def ready(self) -> None:
        """Register the system checks."""
        from core import checks  # noqa: F401
