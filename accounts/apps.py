"""People and their classes."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, classrooms, memberships; log-in."""

    name = "accounts"
