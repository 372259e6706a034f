"""The admin site for videos and what belongs to them: to look things up; the services change them."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from core.models import (
    AuditEvent,
    ProcessingJob,
    Rendition,
    ScheduledRun,
    StorageDeletion,
    Throttle,
    Upload,
    VideoAsset,
    Worker,
)
from core.services.processing import cancel_job, retry_job


class LookOnly(admin.ModelAdmin):
    """Rows that only services write: shown, found, never changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse adding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse changing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse deleting."""
        return False


@admin.register(VideoAsset)
class VideoAssetAdmin(LookOnly):
    """Stored videos."""

    list_display = [
        "__str__",
        "owner",
        "classroom",
        "audience",
        "state",
        "duration_ms",
        "size_bytes",
        "created_at",
    ]
    list_filter = ["state", "audience"]
    search_fields = ["name", "original_name", "owner__email", "storage_path"]
    ordering = ["-created_at", "pk"]
    list_select_related = ["owner", "classroom"]


@admin.register(Rendition)
class RenditionAdmin(LookOnly):
    """Files made from videos."""

    list_display = ["video", "kind", "size_bytes", "created_at"]
    ordering = ["-created_at", "pk"]
    list_select_related = ["video"]


@admin.register(Upload)
class UploadAdmin(LookOnly):
    """Videos on their way in."""

    list_display = ["__str__", "owner", "classroom", "backend", "declared_size_bytes", "last_activity_at"]
    list_filter = ["state"]
    ordering = ["-last_activity_at", "pk"]
    list_select_related = ["owner", "classroom"]


@admin.register(ProcessingJob)
class ProcessingJobAdmin(LookOnly):
    """Work on videos, tried again or canceled from here."""

    list_display = ["video", "kind", "state", "tries", "percent", "error_code", "queued_at"]
    list_filter = ["state", "kind", "error_code"]
    ordering = ["-queued_at", "pk"]
    list_select_related = ["video"]
    actions = ["retry", "cancel"]

    @admin.action(description="Try the failed ones again")
    def retry(self, request: HttpRequest, queryset: "QuerySet[ProcessingJob]") -> None:
        """Queue those that failed again; the others stay as they are."""
        self._report(request, sum(retry_job(job=job) for job in queryset), len(queryset), "queued again")

    @admin.action(description="Cancel the unfinished ones")
    def cancel(self, request: HttpRequest, queryset: "QuerySet[ProcessingJob]") -> None:
        """Give those that wait or run up; the others stay as they are."""
        self._report(request, sum(cancel_job(job=job) for job in queryset), len(queryset), "canceled")

    def _report(self, request: HttpRequest, changed: int, chosen: int, word: str) -> None:
        self.message_user(request, f"{changed} of {chosen} jobs {word}.")


@admin.register(Worker)
class WorkerAdmin(LookOnly):
    """Worker processes that were seen lately."""

    list_display = ["name", "started_at", "seen_at"]
    ordering = ["-seen_at", "pk"]


@admin.register(StorageDeletion)
class StorageDeletionAdmin(LookOnly):
    """Objects waiting to be removed."""

    list_display = ["storage_path", "requested_at"]
    ordering = ["requested_at", "pk"]


@admin.register(ScheduledRun)
class ScheduledRunAdmin(LookOnly):
    """When scheduled tasks ran."""

    list_display = ["name", "last_started_at", "last_finished_at"]
    ordering = ["name"]


@admin.register(Throttle)
class ThrottleAdmin(LookOnly):
    """Limits in use, by address or by the digest of an account."""

    list_display = ["key", "used_until_ms"]
    search_fields = ["key"]
    ordering = ["-used_until_ms", "pk"]


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnly):
    """The audit trail."""

    list_display = ["at", "actor_label", "action", "object_type", "object_id", "address", "request_id"]
    list_filter = ["action"]
    search_fields = ["actor_label", "object_id", "request_id"]
    ordering = ["-at", "pk"]
    date_hierarchy = "at"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the events; their classes are not shown in the list."""
        return super().get_queryset(request).defer("detail")
