"""Receiving a video in one shot, and serving videos and posters to those who may see them."""

import logging
import re
from pathlib import PurePath
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import require_POST, require_safe

from core.forms import UploadVideoForm
from core.http import AuthenticatedRequest, form_problem, json_answer, problem, receives_video, storage_refusal
from core.media.facts import MIME_TYPES
from core.models import Rendition, VideoAsset
from core.ranges import MEDIA_POLICY, ranged_response
from core.received import display_name
from core.refusals import VideoRefused
from core.services.playback import playable
from core.services.quotas import QuotaExceeded, TooManyUploads
from core.services.storage import VideoStorageService, playback_seconds, read_signed_media
from core.services.videos import store_video
from core.services.viewing import audit_staff_view
from core.storage.base import ObjectNotFound, StorageUnavailable
from core.storage.local import LocalStorageBackend
from core.storage_turns import storage_turn

logger = logging.getLogger(__name__)
REFUSAL_STATUS = {QuotaExceeded: 413, TooManyUploads: 429}


@require_POST
@receives_video
def upload_video(request: AuthenticatedRequest) -> HttpResponse:
    """Take a video in one multipart form; 201 with its facts."""
    form = UploadVideoForm(request.POST, request.FILES, user=request.user)
    if not form.is_valid():
        return form_problem(form)
    fields = form.cleaned_data
    try:
        video = store_video(
            received=fields["video"],
            owner=request.user,
            classroom=fields["classroom"],
            name=fields["name"],
            description=fields["description"],
            now=timezone.now(),
        )
    except VideoRefused as refusal:
        status = REFUSAL_STATUS.get(type(refusal), 422)
        return problem(status, "Video not taken", refusal.sentence, code=refusal.code)
    return json_answer(_facts(video), status=201)


@require_safe
def stream(request: AuthenticatedRequest, pk: str) -> HttpResponseBase:
    """Play a video, with `?download` save it: from disk by ranges, through nginx, or by a redirect to a signed URL."""
    video = get_object_or_404(VideoAsset.objects.visible_to(request.user), pk=pk)
    audit_staff_view(video=video, user=request.user)
    file = playable(video=video, user=request.user)
    if file is None:
        return problem(409, "Not prepared yet", "This video is being prepared. It plays here in a moment.")
    return _serve(
        request,
        file.storage_path,
        file.size_bytes,
        file.mime_type,
        file.tag,
        playback_seconds(video.duration_ms),
        content_disposition_header("download" in request.GET, _file_name(video, file.mime_type)) or "inline",
    )


@require_safe
def poster(request: AuthenticatedRequest, pk: str) -> HttpResponseBase:
    """Show a video's poster."""
    return _serve_image(request, pk, Rendition.Kind.POSTER)


@require_safe
def thumbnails(request: AuthenticatedRequest, pk: str) -> HttpResponseBase:
    """Show the sprite of a video's timeline thumbnails."""
    return _serve_image(request, pk, Rendition.Kind.SPRITE)


@require_safe
def thumbnails_map(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Say which part of the sprite shows which moment, as WebVTT; always from here, so its addresses stay relative."""
    vtt = _rendition(request, pk, Rendition.Kind.VTT)
    try:
        with storage_turn(), VideoStorageService().backend.open(vtt.storage_path) as stored:
            body = stored.read()
    except ObjectNotFound as error:
        logger.exception("Stored object missing")
        raise Http404 from error
    except StorageUnavailable as error:
        return storage_refusal(request, error)
    return HttpResponse(body, content_type="text/vtt", headers={"Cache-Control": "private, max-age=86400"})


def _file_name(video: VideoAsset, mime_type: str) -> str:
    """Return the name to save a video under: its own, with the ending of what it is sent as."""
    name = re.sub(r"[/\\]", "-", video.name) or PurePath(video.original_name).stem
    return f"{display_name(name)}.{MIME_TYPES[mime_type]}"


class Stored(NamedTuple):
    """A file made from a video."""

    storage_path: str
    size_bytes: int
    checksum_sha256: str


def _rendition(request: AuthenticatedRequest, pk: str, kind: str) -> Stored:
    of_kind = VideoAsset.objects.visible_to(request.user).filter(renditions__kind=kind)
    columns = of_kind.values_list(*(f"renditions__{name}" for name in Stored._fields))
    return Stored(*get_object_or_404(columns, pk=pk))


def _serve_image(request: AuthenticatedRequest, pk: str, kind: str) -> HttpResponseBase:
    image = _rendition(request, pk, kind)
    return _serve(
        request, image.storage_path, image.size_bytes, "image/jpeg", image.checksum_sha256, playback_seconds(0)
    )


@require_safe
@login_not_required
def signed_media(request: AuthenticatedRequest, token: str) -> HttpResponseBase:
    """Serve what a signed link of the local storage names; the link itself is the permission."""
    path = read_signed_media(token)
    video = VideoAsset.objects.filter(storage_path=path).first() if path else None
    if video is None:
        raise Http404
    return _serve(
        request,
        video.storage_path,
        video.size_bytes,
        video.playback_mime_type,
        video.checksum_sha256 or str(video.pk),
        playback_seconds(0),
    )


def _serve(
    request: AuthenticatedRequest,
    path: str,
    size_bytes: int,
    mime_type: str,
    tag: str,
    expires_in_s: int,
    disposition: str = "inline",
) -> HttpResponseBase:
    backend = VideoStorageService().backend
    if not isinstance(backend, LocalStorageBackend):
        url = backend.get_url(path, expires_in_s=expires_in_s, mime_type=mime_type, disposition=disposition)
        return HttpResponseRedirect(url, headers={"Cache-Control": "no-store"})
    if settings.X_ACCEL_PREFIX:
        return _through_nginx(request, path, mime_type, quote_etag(tag), disposition)
    return ranged_response(
        request,
        path=backend.path(path),
        size_bytes=size_bytes,
        mime_type=mime_type,
        etag=quote_etag(tag),
        disposition=disposition,
    )


def _through_nginx(
    request: AuthenticatedRequest, path: str, mime_type: str, etag: str, disposition: str
) -> HttpResponseBase:
    """Hand the file over, unless the browser has it: nginx answers the range with the headers given here."""
    handed_over = HttpResponse(
        content_type=mime_type,
        headers={
            "X-Accel-Redirect": f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{path}",
            "ETag": etag,
            "Cache-Control": "private, max-age=86400",
            "Content-Disposition": disposition,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": MEDIA_POLICY,
        },
    )
    return get_conditional_response(request, etag=etag, response=handed_over) or handed_over


def _facts(video: VideoAsset) -> dict[str, object]:
    """Return what the API says about a video: sizes in pixels as displayed, times in milliseconds."""
    return {
        "id": str(video.pk),
        "name": video.name,
        "description": video.description,
        "classroom": str(video.classroom_id),
        "state": video.state,
        "original_name": video.original_name,
        "size_bytes": video.size_bytes,
        "mime_type": video.mime_type,
        "checksum_sha256": video.checksum_sha256,
        "duration_ms": video.duration_ms,
        "width_px": video.width_px,
        "height_px": video.height_px,
        "rotation_deg": video.rotation_deg,
        "frame_rate": f"{video.frame_rate_num}/{video.frame_rate_den}",
        "variable_frame_rate": video.variable_frame_rate,
        "video_codec": video.video_codec,
        "audio_codec": video.audio_codec,
    }
