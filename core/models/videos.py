"""VideoAsset, one stored video, and who may see it; Rendition, a file made from it.

# Note [One row decides]
Who may see a video is written in its own row (`audience`, `shown_with`), not worked out from the exercise or
the attempt that uses it. The services that publish, submit, or withdraw change that row. So one queryset,
`VideoAsset.objects.visible_to(user)`, guards pages, media, posters, comments, and downloads alike. A video shown with
another is of the same class (`attach_video` sees to it), so one look at the reader's classes serves both.
"""

import uuid
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class VideoAssetQuerySet(models.QuerySet["VideoAsset"]):
    """Videos by who may see them, and those whose bytes are kept."""

    def stored(self) -> Self:
        """Return the videos that name an object: all but those that failed their check."""
        return self.exclude(storage_path="")

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return the videos `user` may see: staff all, others by owner, audience, and what they are shown with."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        memberships = apps.get_model("accounts", "Membership").objects.filter(user=user)
        own = Q(owner=user) | Q(shown_with__owner=user)
        in_mine = Q(classroom__in=memberships.values("classroom"))
        where_i_teach = Q(classroom__in=memberships.filter(role="instructor").values("classroom"))
        for_all, for_instructors = _for(VideoAsset.Audience.CLASSROOM), _for(VideoAsset.Audience.INSTRUCTORS)
        return self.filter(own | for_all & in_mine | for_instructors & where_i_teach)


def _for(audience: str) -> Q:
    return Q(audience=audience) | Q(shown_with__audience=audience)


class VideoAsset(models.Model):
    """One stored video with its measured facts; sizes are as displayed, times in milliseconds."""

    class Audience(models.TextChoices):
        """Who may see the video besides its owner."""

        OWNER = "owner", "only its owner"
        INSTRUCTORS = "instructors", "the instructors of its class"
        CLASSROOM = "classroom", "everyone in its class"

    class State(models.TextChoices):
        """How far the video is: only a ready one is offered for playing."""

        CHECKING = "checking", "being checked"
        READY = "ready", "ready"
        FAILED = "failed", "failed"

    class Need(models.TextChoices):
        """What a file lacks to play everywhere (`core.media.facts.Need`)."""

        NOTHING = "nothing", "nothing"
        REMUX = "remux", "another container"
        TRANSCODE = "transcode", "other codecs"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="videos")
    classroom = models.ForeignKey("accounts.Classroom", on_delete=models.PROTECT, related_name="videos")
    audience = models.CharField(max_length=12, choices=Audience, default=Audience.OWNER)
    shown_with = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="shown_here")
    name = models.CharField(max_length=140, blank=True)
    description = models.TextField(max_length=5000, blank=True)
    storage_path = models.CharField(max_length=200, db_index=True, blank=True)  # "": its bytes are gone
    original_name = models.CharField(max_length=120, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    mime_type = models.CharField(max_length=40)
    checksum_sha256 = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 (null: not verified yet)
    state = models.CharField(max_length=12, choices=State, default=State.CHECKING)
    failure_code = models.CharField(max_length=40, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    width_px = models.PositiveIntegerField(null=True, blank=True)
    height_px = models.PositiveIntegerField(null=True, blank=True)
    rotation_deg = models.PositiveSmallIntegerField(default=0)
    frame_rate_num = models.PositiveIntegerField(null=True, blank=True)
    frame_rate_den = models.PositiveIntegerField(null=True, blank=True)
    variable_frame_rate = models.BooleanField(default=False)
    video_codec = models.CharField(max_length=32, blank=True)
    audio_codec = models.CharField(max_length=32, blank=True)
    need = models.CharField(max_length=12, choices=Need, default=Need.NOTHING, db_default=Need.NOTHING)
    reveals_metadata = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    attached_at = models.DateTimeField(null=True, blank=True)

    objects = VideoAssetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="video_audience_known", condition=Q(audience__in=["owner", "instructors", "classroom"])
            ),
            models.CheckConstraint(name="video_state_known", condition=Q(state__in=["checking", "ready", "failed"])),
            models.CheckConstraint(
                name="video_ready_is_measured",
                condition=~Q(state="ready")
                | Q(duration_ms__gt=0, width_px__gt=0, height_px__gt=0, frame_rate_den__gt=0),
            ),
            models.CheckConstraint(
                name="video_failed_has_no_bytes", condition=~Q(state="failed") | Q(storage_path="", size_bytes=0)
            ),
            models.CheckConstraint(name="video_need_known", condition=Q(need__in=["nothing", "remux", "transcode"])),
            models.CheckConstraint(name="video_rotation_known", condition=Q(rotation_deg__in=[0, 90, 180, 270])),
        ]
        indexes = [models.Index(fields=["attached_at", "created_at"], name="video_attached_created")]

    def __str__(self) -> str:
        return self.name or self.original_name or str(self.pk)

    @property
    def playback_mime_type(self) -> str:
        """The type it is served with: QuickTime files are MP4's twin, and some browsers play them by that name only."""
        return "video/mp4" if self.mime_type == "video/quicktime" else self.mime_type


class Rendition(models.Model):
    """A file made from a video: a web-playable version, a poster, or a timeline sprite with its map."""

    class Kind(models.TextChoices):
        """What the file is."""

        WEB = "web", "web-playable video"
        POSTER = "poster", "poster"
        SPRITE = "sprite", "timeline thumbnails"
        VTT = "vtt", "map of the thumbnails"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    video = models.ForeignKey(VideoAsset, on_delete=models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=8, choices=Kind)
    storage_path = models.CharField(max_length=200, db_index=True)
    size_bytes = models.PositiveBigIntegerField()
    checksum_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "kind"], name="rendition_one_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.video_id}"
