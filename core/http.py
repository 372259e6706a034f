"""How our views receive and answer: JSON problems, forms that carry a video, and their refusals.

# Note [The order of refusals]
A request that carries a video is refused as early as can be, so that nobody sends gigabytes for nothing:
no account (401 for JSON, the log-in page otherwise, body unread) → no Content-Length 411 → larger than allowed 413
→ the upload handler is installed → CSRF 403 (with an X-CSRFToken header the body is not touched) → the body is
read to disk. Django's own CSRF middleware would read the form first, into its own handlers; so such views are
exempt from it and `receives_video` makes the same check at its place in this order.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.handlers.wsgi import WSGIRequest
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt

from core.media.facts import InspectionUnavailable
from core.multipart import VideoUploadHandler
from core.received import VideoTooLarge
from core.storage.base import StorageBusy, StorageFull, StorageUnavailable
from core.storage.disk import disk_errors

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]
FORM_ALLOWANCE_BYTES = 1024 * 1024  # what the form's other fields may add to the video
RETRY_AFTER_S = 30
BUSY_RETRY_AFTER_S = 2
# What people hear of a storage; what its errors say is for whoever runs the site, and goes to the log.
NO_ROOM = "There is no room for this video. What was saved before is safe. Tell whoever runs this site, and try again."
NO_STORAGE = "Videos cannot be stored right now. What was saved before is safe. Try again in a moment."
NOT_CHECKED = "This site cannot check videos right now. Nothing was kept; send it again in a few minutes."
# Every other status is shown on the page of 500, with its number.
ERROR_PAGES = frozenset({400, 403, 404, 413, 429, 503})


class AuthenticatedRequest(HttpRequest):
    """A request of somebody who is logged in; EntranceMiddleware and `receives_video` let no other through."""

    user: "User"


def problem(status: int, title: str, detail: str = "", **members: Any) -> JsonResponse:
    """Return an error as application/problem+json (RFC 9457); `detail` is a sentence for people."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    response = JsonResponse(body, status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def unauthorized() -> JsonResponse:
    """Return what a program hears that is not logged in: 401 with a challenge (RFC 9110, section 11.6.1)."""
    response = problem(401, "Log in first", "This needs an account. Log in, then try again.")
    response["WWW-Authenticate"] = 'Session realm="Practika"'
    return response


def log_in_first(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the log-in page, and from there back: to the page asked for, or to the one whose form was sent."""
    return redirect_to_login(request.get_full_path() if request.method in {"GET", "HEAD"} else _page_of_form(request))


def _page_of_form(request: HttpRequest) -> str:
    """Return where a form was sent from, or home; what it was sent to may take forms only, and show nothing."""
    sender = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(sender, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    return urlsplit(sender)._replace(scheme="", netloc="", fragment="").geturl()


def json_answer(body: dict[str, Any], *, status: int = 200) -> JsonResponse:
    """Return JSON that no cache keeps."""
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def wants_json(request: HttpRequest) -> bool:
    """Return whether the caller is a program of ours rather than a browser following a link."""
    return request.path.startswith("/core/api/") or request.headers.get("Accept", "") == "application/json"


def refuse(
    request: HttpRequest, status: int, title: str, detail: str, *, retry_after_s: int | None = None
) -> HttpResponse:
    """Return an error as a problem or as a page, whichever the caller reads; both name the request.

    With `retry_after_s` (always for 503) it says when to try again.
    """
    if status == 503:
        retry_after_s = retry_after_s or RETRY_AFTER_S
    request_id = getattr(request, "request_id", "")
    if wants_json(request):
        response: HttpResponse = problem(status, title, detail, request_id=request_id)
    else:
        page = status if status in ERROR_PAGES else 500
        context = {"status": status, "title": title, "reason": detail, "request_id": request_id}
        context["retry_after_s"] = retry_after_s
        response = render(None, f"{page}.html", context, status=status)
    if retry_after_s:
        response["Retry-After"] = str(retry_after_s)
    return response


def meant(response: HttpResponse) -> HttpResponse:
    """Return the answer as one that is not to be logged as an ERROR, which Django does for every other 5xx."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def storage_refusal(request: HttpRequest, error: StorageUnavailable) -> HttpResponse:
    """Return 507 for a full storage, else 503; call it where the error is handled: its reason is logged.

    What only waits for a place is no error, and may come again sooner.
    """
    if isinstance(error, StorageBusy):
        return meant(refuse(request, 503, "Busy", error.sentence, retry_after_s=BUSY_RETRY_AFTER_S))
    logger.error("Storage unavailable", exc_info=True)
    if isinstance(error, StorageFull):
        return meant(refuse(request, 507, "No space left", NO_ROOM))
    return meant(refuse(request, 503, "Storage unavailable", NO_STORAGE))


def done(request: HttpRequest, location: str) -> HttpResponse:
    """Answer a successful form: a redirect, or 201 with the location for the elements that send it themselves."""
    return json_answer({"location": location}, status=201) if wants_json(request) else redirect(location)


def form_page(request: HttpRequest, template: str, form: BaseForm, context: dict[str, Any]) -> HttpResponse:
    """Show a form: 200 when it is new, 422 with its errors when it was sent."""
    if not form.is_bound:
        return render(request, template, {"form": form, **context})
    if wants_json(request):
        return form_problem(form)
    return render(request, template, {"form": form, **context}, status=422)


def form_problem(form: BaseForm) -> JsonResponse:
    """Return a form's errors as a problem; `detail` is the first of them."""
    errors = {field: [str(message) for message in messages] for field, messages in form.errors.items()}
    first = next((messages[0] for messages in errors.values()), "")
    return problem(422, "That did not work", first, errors=errors)


def receives_video(view: View) -> View:
    """Let a view receive a form with a video in `request.FILES["video"]`, refusing in the order of the note above."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def receiving_view(request: WSGIRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return unauthorized() if wants_json(request) else log_in_first(request)
        try:
            refusal = (_refuse_length(request) or _accept_body(request)) if request.method == "POST" else None
            return refusal or view(request, *args, **kwargs)
        except VideoTooLarge:
            return _too_large(request)
        except UnreadablePostError:
            return refuse(request, 400, "Cut short", "The video did not arrive whole. Nothing was kept; send it again.")
        except StorageUnavailable as error:
            return storage_refusal(request, error)
        except InspectionUnavailable:
            return refuse(request, 503, "Not checked", NOT_CHECKED)

    return receiving_view


def _refuse_length(request: HttpRequest) -> HttpResponse | None:
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        return refuse(
            request, 411, "Length required", "The request does not say how long it is. Send a Content-Length."
        )
    if int(length) > settings.MAX_VIDEO_BYTES + FORM_ALLOWANCE_BYTES:
        return _too_large(request)
    return None


def _too_large(request: HttpRequest) -> HttpResponse:
    limit = filesizeformat(settings.MAX_VIDEO_BYTES)
    return refuse(request, 413, "Too large", f"A video may have up to {limit}. Nothing was kept. Choose a shorter one.")


def _accept_body(request: WSGIRequest) -> HttpResponse | None:
    """Install the handler that writes the video to disk, then check CSRF; return the refusal, if any."""
    with disk_errors():
        settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    handler = VideoUploadHandler(
        request, folder=settings.INCOMING_ROOT, max_bytes=settings.MAX_VIDEO_BYTES, video_field="video"
    )
    request.upload_handlers = [handler]
    checked = request
    if settings.CSRF_HEADER_NAME in request.META:
        # The same request without its body: the middleware looks at the header only when there is no form to read.
        checked = WSGIRequest({**request.environ, "REQUEST_METHOD": "PUT"})
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())
    middleware.process_request(checked)
    return middleware.process_view(checked, _checked_view, (), {})


def _checked_view(request: HttpRequest) -> HttpResponse:
    """Stand for the view in the CSRF check, which exempts by the view's attributes."""
    raise AssertionError("never called")
