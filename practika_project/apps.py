"""The site: what ties the apps together."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils import timezone


class SiteConfig(AppConfig):
    """Settings, addresses, demo, and the digest, which knows of every app."""

    name = "practika_project"

    def ready(self) -> None:
        """Put the digest on the schedule."""
        from core.services.schedule import SCHEDULE, Entry
        from practika_project.digest import send_digests

        every = timedelta(hours=1)
        SCHEDULE.append(Entry("digest", every, lambda: send_digests(now=timezone.now()), apart=True))
