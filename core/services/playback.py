"""Which file of a video plays for whom, and what the page says while a better one is made.

# Note [Withheld until it is clean]
A phone writes where and with what it filmed into the file. Such an original goes to nobody but its owner, staff
included; the others wait for the version that was written anew without it. The rule stands here alone, and both
the page and the media views ask here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from core.media.facts import REFUSAL_CODES, Limits, refusal
from core.models import ProcessingJob, Rendition, VideoAsset

if TYPE_CHECKING:
    from accounts.models import User

State = ProcessingJob.State
#: From here on the time a job has taken says something about how long it will take.
TELLING_PERCENT = 3

SENTENCES = {
    "checksum_differs": "It is not the file that was sent. Please send it again.",
    "canceled": "An administrator stopped it.",
    "object_missing": "The video's file is missing in the storage. Please send it again.",
    "unavailable": "The storage or the disk did not do its part, three times.",
    "worker_lost": "It ended three times before it was done; the file may ask too much of this site.",
}


@dataclass(frozen=True)
class Playable:
    """A stored file that plays; `tag` changes whenever its bytes do."""

    storage_path: str
    size_bytes: int
    mime_type: str
    tag: str


@dataclass(frozen=True)
class Preparation:
    """How far the check or the web-playable version is, for one reader; `time_left_s` is None if nobody can tell."""

    video: VideoAsset
    kind: str
    state: str
    percent: int
    time_left_s: int | None
    failure: str
    is_kept: bool
    withheld: bool
    may_retry: bool

    @property
    def is_unfinished(self) -> bool:
        """Return whether the page should ask again."""
        return self.state in ProcessingJob.UNFINISHED


def playable(*, video: VideoAsset, user: "User") -> Playable | None:
    """Return what plays for `user`, who may see the video: the web version, else the original unless withheld."""
    if video.state != VideoAsset.State.READY:
        return None
    web = video.renditions.filter(kind=Rendition.Kind.WEB).first()
    if web:
        return Playable(web.storage_path, web.size_bytes, "video/mp4", web.checksum_sha256)
    if _is_withheld(video, user):
        return None
    tag = video.checksum_sha256 or str(video.pk)
    return Playable(video.storage_path, video.size_bytes, video.playback_mime_type, tag)


def preparation(*, video: VideoAsset, user: "User", now: datetime) -> Preparation | None:
    """Return how far the check, then the web-playable version is; None for what needs neither.

    One query, or none when the jobs were prefetched.
    """
    is_ready = video.state == VideoAsset.State.READY
    jobs = {job.kind: job for job in video.jobs.all()}
    job = jobs.get(ProcessingJob.Kind.WEB) or jobs.get(ProcessingJob.Kind.VERIFY)
    if job is None:
        return None
    failed = job.state == State.FAILED
    return Preparation(
        video=video,
        kind=job.kind,
        state=job.state,
        percent=job.percent,
        time_left_s=_time_left_s(job, now),
        failure=failure_sentence(job.error_code) if failed else "",
        is_kept=job.error_code != "object_missing",
        withheld=not is_ready or (job.state != State.DONE and _is_withheld(video, user)),
        may_retry=failed and video.state != VideoAsset.State.FAILED and may_retry(video=video, user=user),
    )


def may_retry(*, video: VideoAsset, user: "User") -> bool:
    """Return whether `user` may have the processing tried again: its owner, staff, instructors of its class."""
    return (
        video.owner_id == user.pk
        or user.is_staff
        or user.memberships.filter(Q(classroom=video.classroom_id), role="instructor").exists()
    )


def failure_sentence(code: str) -> str:
    """Return what a job's error code means, for people."""
    return refusal(code, Limits()).sentence if code in REFUSAL_CODES else SENTENCES.get(code, "")


def _is_withheld(video: VideoAsset, user: "User") -> bool:
    return video.reveals_metadata and video.owner_id != user.pk


def _time_left_s(job: ProcessingJob, now: datetime) -> int | None:
    if job.state != State.RUNNING or job.started_at is None or job.percent < TELLING_PERCENT:
        return None
    taken_s = max(0.0, (now - job.started_at).total_seconds())
    return round(taken_s * (100 - job.percent) / job.percent)
