"""What failed its check keeps its row and loses its bytes."""

from django.db import migrations, models
from django.utils import timezone


def remove_bytes(apps, schema_editor):
    """Ask for the objects of the videos that failed before; the sweep removes them."""
    failed = apps.get_model("core", "VideoAsset").objects.filter(state="failed").exclude(storage_path="")
    deletions = apps.get_model("core", "StorageDeletion").objects
    for path in failed.values_list("storage_path", flat=True):
        deletions.get_or_create(storage_path=path, defaults={"requested_at": timezone.now()})
    failed.update(storage_path="", size_bytes=0)


class Migration(migrations.Migration):
    dependencies = [("core", "0007_throttle")]

    operations = [
        migrations.AlterField(
            model_name="videoasset",
            name="storage_path",
            field=models.CharField(blank=True, db_index=True, max_length=200),
        ),
        migrations.RunPython(remove_bytes, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="videoasset",
            constraint=models.CheckConstraint(
                name="video_failed_has_no_bytes",
                condition=~models.Q(state="failed") | models.Q(storage_path="", size_bytes=0),
            ),
        ),
    ]
