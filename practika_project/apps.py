"""The site: what ties the apps together."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Settings, addresses, demo, and the digest, which knows of every app."""

    name = "practika_project"

    def ready(self) -> None:
        """Put the digest on the schedule."""
        from datetime import timedelta

        from core.services.schedule import SCHEDULE, Entry
        from practika_project.digest import digest

        SCHEDULE.append(Entry("digest", timedelta(hours=1), digest.enqueue))
