"""The tables everything stands on: videos, uploads, jobs, deletions, workers, audit trail, schedule, throttles."""

from core.models.audit import AuditEvent
from core.models.deletions import StorageDeletion
from core.models.jobs import ProcessingJob, ScheduledRun, Worker
from core.models.throttles import Throttle
from core.models.uploads import Upload
from core.models.videos import Rendition, VideoAsset

__all__ = [
    "AuditEvent",
    "ProcessingJob",
    "Rendition",
    "ScheduledRun",
    "StorageDeletion",
    "Throttle",
    "Upload",
    "VideoAsset",
    "Worker",
]
