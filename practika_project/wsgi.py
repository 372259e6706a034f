"""The WSGI entry, for gunicorn and the development server alike; health is answered before Django."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.health import HealthAnswer, health_first
from core.telemetry.gathering import begin_counting
from practika_project import __version__

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")

application = health_first(get_wsgi_application(), HealthAnswer(version=__version__, environment=settings.ENVIRONMENT))

begin_counting(settings.METRICS_FOLDER)
# Once per process that serves: gunicorn's workers and the development server both import this module.
logging.getLogger("core").info(
    "Application started", extra={"version": __version__, "environment": settings.ENVIRONMENT}
)
