"""Receiving one part of an upload in local mode: the signed link is the whole permission.

# Note [Nothing but the link]
This view asks no session, no token and no database; it must go on while all of them are busy. It reads straight
from the connection into the file, and a sender who stops for `core.body.STALL_S` loses the connection, so that the
part's lock is free when it is sent again.
"""

from django.contrib.auth.decorators import login_not_required
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.body import body_source
from core.http import BUSY_RETRY_AFTER_S, meant, problem, storage_refusal
from core.json_api import later
from core.long_bodies import TooManyBodies, long_body
from core.services.part_storage import QUERY_FIELD, local_part_storage, read_signed_part
from core.storage.base import StorageUnavailable
from core.storage.parts import PartBusy, PartDamaged, PartedUpload, PartRequest, UploadNotHeld
from core.telemetry.catalog import UPLOAD_BYTES, UPLOAD_PARTS

BUSY_RETRY_S = 1
#: How a part ended, as the metrics call it, by the status of the answer; "refused" is any other.
OUTCOMES = {200: "stored", 400: "cut", 409: "busy", 410: "over", 422: "damaged", 503: "unavailable", 507: "full"}


@csrf_exempt
@login_not_required
@require_http_methods(["PUT"])
def upload_part_bytes(request: WSGIRequest, pk: str, number: int) -> HttpResponse:
    """Store one part: 200 with its ETag; 403 for a link that is not ours, 410 once the upload is over."""
    signed = read_signed_part(request.GET.get(QUERY_FIELD, ""), upload_id=str(pk), number=number, now=timezone.now())
    if signed is None:
        return problem(
            403, "Not allowed", "This link is not valid (any more). Ask for a new one.", code="bad_signature"
        )
    upload, part = signed
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        return problem(411, "Length required", "The request does not say how long it is. Send a Content-Length.")
    if int(length) != part.size_bytes:
        detail = f"This link is for {part.size_bytes} bytes, not {length[:20]}."
        return problem(422, "Wrong length", detail, code="wrong_length", number=number)
    try:
        with long_body(part.size_bytes, request.environ):
            response = _receive(request, upload, part)
    except TooManyBodies as error:
        UPLOAD_PARTS.add("crowded")
        seconds = BUSY_RETRY_AFTER_S
        return meant(later(503, "Busy", error.sentence, seconds=seconds, code="busy", number=number))
    UPLOAD_PARTS.add(OUTCOMES.get(response.status_code, "refused"))
    UPLOAD_BYTES.add("parts", amount=part.size_bytes if response.status_code == 200 else 0)
    return response


def _receive(request: WSGIRequest, upload: PartedUpload, part: PartRequest) -> HttpResponse:
    try:
        source = body_source(request, request.environ, part.size_bytes)
        local_part_storage().write(upload, part, source)
    except UploadNotHeld:
        return problem(410, "Upload over", "This upload is complete, canceled, or expired.", code="upload_over")
    except PartBusy:
        detail = "This part is being written just now. Try again in a moment."
        return later(409, "Busy", detail, seconds=BUSY_RETRY_S, code="busy", number=part.number)
    except PartDamaged as error:
        return problem(422, "Part damaged", str(error), code="damaged", number=part.number)
    except UnreadablePostError:
        return problem(
            400, "Cut short", "The part did not arrive whole. Send it again.", code="cut", number=part.number
        )
    except StorageUnavailable as error:
        return storage_refusal(request, error)
    return HttpResponse(headers={"ETag": f'"{part.sha256 or f"{part.number}-{part.size_bytes}"}"'})
