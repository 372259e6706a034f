"""gunicorn's logger class, which hands every line to the site's own logging."""

from typing import Any

from django.conf import settings
from django.utils.log import configure_logging
from gunicorn.glogging import Logger


class GunicornLogger(Logger):
    """Writes no lines of its own form: gunicorn's messages come out as JSON, its access log stays off.

    DJANGO_LOG_LEVEL rules; gunicorn's own --log-level does not.
    """

    def setup(self, cfg: Any) -> None:
        """Configure logging as the site does; called in the master, and again on reload."""
        self.cfg = cfg
        self._access_log_enabled = False
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
        self.error_log.propagate = True
