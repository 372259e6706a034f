"""StorageDeletion: the outbox of objects that may go once nothing names them."""

from django.db import models


class StorageDeletion(models.Model):
    """A key whose last use was dropped; written in that transaction, removed with the object."""

    storage_path = models.CharField(max_length=200, unique=True)
    requested_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.storage_path
