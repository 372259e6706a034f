"""How far a video's processing is, asked again by the page, and trying it once more."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from core.http import AuthenticatedRequest
from core.models import ProcessingJob, VideoAsset
from core.services.playback import may_retry, preparation
from core.services.processing import retry_job


@require_safe
def status(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show how far the web-playable version is: the piece of the page that asks for itself again."""
    video = get_object_or_404(VideoAsset.objects.visible_to(request.user), pk=pk)
    found = preparation(video=video, user=request.user, now=timezone.now())
    if found is None:
        raise Http404
    answer = render(request, "_partials/preparation.html", {"preparation": found, "asked_again": True})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def retry(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Queue what failed once more, and go back to the page one came from."""
    video = get_object_or_404(VideoAsset.objects.visible_to(request.user), pk=pk)
    if not may_retry(video=video, user=request.user):
        raise PermissionDenied("Only its owner and the instructors of its class have a video processed again.")
    for job in ProcessingJob.objects.filter(video=video, state=ProcessingJob.State.FAILED):
        retry_job(job=job)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    return redirect(back)
