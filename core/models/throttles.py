"""Throttle: how much of a limit somebody has used."""

from django.db import models


class Throttle(models.Model):
    """One limit of one account or address, until it is unused again; Note [One number is enough] in the service."""

    key = models.CharField(primary_key=True, max_length=100)
    used_until_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return self.key
