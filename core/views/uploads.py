"""The calls of an upload in parts: open, sign a part, look, complete, abort. No byte of a video comes here."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import apps
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from core.http import AuthenticatedRequest, form_problem, json_answer, problem
from core.json_api import json_api, json_body, later
from core.models import Upload
from core.refusals import VideoRefused
from core.services import completion, part_links, uploads
from core.services.part_storage import part_storage
from core.services.playback import failure_sentence
from core.services.pruning import ABANDONED_AFTER
from core.services.quotas import QuotaExceeded, TooManyUploads
from core.storage.parts import PartBusy, PartsBeyondEnd, PartsMissing
from core.storage_turns import storage_turn
from core.upload_forms import CompletionForm, OpenUploadForm, SignPartForm, SignPartsForm

BUSY_RETRY_S = 1
REFUSAL_STATUS: dict[type[VideoRefused], int] = {
    QuotaExceeded: 413,
    TooManyUploads: 429,
    uploads.TooLarge: 413,
    uploads.TokenReused: 409,
    uploads.UploadFinished: 409,
    uploads.UploadOver: 410,
    completion.OtherWhole: 409,
}


def _answers_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turn what the services refuse into problems; what is busy is to be asked again."""

    @wraps(view)
    def answering_view(request: AuthenticatedRequest, **kwargs: Any) -> HttpResponse:
        try:
            with storage_turn():
                return view(request, **kwargs)
        except VideoRefused as refusal:
            status = REFUSAL_STATUS.get(type(refusal), 422)
            return problem(status, "Not done", refusal.sentence, code=refusal.code)
        except PartsMissing as error:
            detail = "Some parts have not arrived. Send them, then complete the upload again."
            return problem(409, "Parts missing", detail, code="parts_missing", missing=error.numbers)
        except PartsBeyondEnd as error:
            detail = "More parts were sent than this size has. Complete it with the whole size."
            return problem(422, "Parts beyond the end", detail, code="parts_beyond_end", beyond=error.numbers)
        except PartBusy:
            detail = "It is being written just now. Try again in a moment."
            return later(409, "Busy", detail, seconds=BUSY_RETRY_S, code="busy")

    return answering_view


@require_POST
@json_api
@_answers_refusals
def upload_list(request: AuthenticatedRequest) -> HttpResponse:
    """Open an upload: 201, or 200 with the one that has this `client_token` already."""
    form = OpenUploadForm(json_body(request))
    if not form.is_valid():
        return form_problem(form)
    if form.has_a_type_of_no_video:
        return problem(415, "Not a video", "This is not a video. Choose a video file.", code="wrong_type")
    fields = form.cleaned_data
    classrooms = apps.get_model("accounts", "Classroom").objects.filter(memberships__user=request.user)
    fields["classroom"] = get_object_or_404(classrooms, pk=fields["classroom"])
    upload, is_new = uploads.open_upload(owner=request.user, **fields, now=timezone.now())
    return json_answer(_shown(upload, held={} if is_new else None), status=201 if is_new else 200)


@require_http_methods(["GET", "HEAD", "DELETE"])
@json_api
@_answers_refusals
def upload_detail(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Say how far an upload of one's own is; DELETE gives it up (staff may give up anybody's)."""
    if request.method == "DELETE":
        found = Upload.objects.all() if request.user.is_staff else Upload.objects.filter(owner=request.user)
        upload = get_object_or_404(found, pk=pk)
        uploads.abort_upload(upload=upload, by=request.user, now=timezone.now())
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    return json_answer(_shown(_own(request, pk)))


@require_POST
@json_api
@_answers_refusals
def upload_part(request: AuthenticatedRequest, pk: str, number: int) -> HttpResponse:
    """Sign the request that brings one part."""
    upload = _own(request, pk)
    form = SignPartForm(json_body(request))
    if not form.is_valid():
        return form_problem(form)
    wish = part_links.PartWish(number=number, **form.cleaned_data)
    (link,) = part_links.sign_parts(upload=upload, wishes=[wish], now=timezone.now())
    return json_answer(_signed(link))


@require_POST
@json_api
@_answers_refusals
def upload_parts(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Sign the requests that bring several parts, in the order in which they were asked for."""
    upload = _own(request, pk)
    form = SignPartsForm(json_body(request))
    if not form.is_valid():
        return form_problem(form)
    wishes = [part_links.PartWish(**fields) for fields in form.cleaned_data["parts"]]
    links = part_links.sign_parts(upload=upload, wishes=wishes, now=timezone.now())
    return json_answer({"parts": [{"number": link.number, **_signed(link)} for link in links]})


@require_POST
@json_api
@_answers_refusals
def upload_completion(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Make the parts a video that waits to be checked: 201, or 200 when it is one already."""
    upload = _own(request, pk)
    form = CompletionForm(json_body(request))
    if not form.is_valid():
        return form_problem(form)
    _, is_new = completion.complete_upload(upload=upload, **form.cleaned_data, now=timezone.now())
    upload.refresh_from_db()
    return json_answer(_shown(upload), status=201 if is_new else 200)


def _own(request: AuthenticatedRequest, pk: str) -> Upload:
    """Return an upload of one's own, in a class one is (still) in; else 404, as if it did not exist."""
    own = Upload.objects.filter(owner=request.user, classroom__memberships__user=request.user)
    return get_object_or_404(own.select_related("video", "classroom", "owner"), pk=pk)


def _signed(link: part_links.PartLink) -> dict[str, Any]:
    """Return what the sender of a part needs to know."""
    return {
        "method": "PUT",
        "url": link.signed.url,
        "headers": link.signed.headers,
        "expires_at": link.expires_at.isoformat(),
    }


def _shown(upload: Upload, *, held: dict[int, int] | None = None) -> dict[str, Any]:
    """Return what every call says about an upload; times in ISO 8601, sizes in bytes.

    `held` is what the storage holds of it, number → bytes; the storage is asked when it is None.
    """
    held = uploads.held_parts(upload=upload) if held is None else held
    shown = {
        "id": str(upload.pk),
        "state": upload.state,
        "part_size_bytes": upload.part_size_bytes,
        "size_bytes": upload.declared_size_bytes,
        "expires_at": (upload.last_activity_at + ABANDONED_AFTER).isoformat(),
        "wants_part_sha256": part_storage().wants_part_sha256,
        "url": reverse("core:upload", args=[upload.pk]),
        "parts_url": reverse("core:upload_parts", args=[upload.pk]),
        "completion_url": reverse("core:upload_completion", args=[upload.pk]),
        "parts": [{"number": number, "size_bytes": size} for number, size in held.items()],
    }
    if upload.video:
        video = upload.video
        failure = failure_sentence(video.failure_code) if video.failure_code else ""
        shown["video"] = {"id": str(video.pk), "state": video.state, "failure": failure}
    return shown
