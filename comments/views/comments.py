"""A comment is written on the page that shows the video; this is where its forms lead."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from comments.forms import CommentForm, EditForm
from comments.models import Comment
from comments.services import delete_comment, edit_comment, may_delete, may_edit, write_comment
from comments.thread import teaches
from core.http import AuthenticatedRequest, done, form_page, receives_video
from core.models import VideoAsset
from core.refusals import VideoRefused


@require_http_methods(["GET", "HEAD", "POST"])
@receives_video
def create(request: AuthenticatedRequest, video_pk: str) -> HttpResponse:
    """Write a comment on a video one may see; a log-in may lead back here, where a refused one was shown."""
    target = get_object_or_404(VideoAsset.objects.visible_to(request.user).filter(shown_with__isnull=True), pk=video_pk)
    if request.method != "POST":
        return render(request, "comments/thread_page.html", {"video": target, "next_url": _next(request)})
    form = CommentForm(request.POST, request.FILES, target=target)
    next_url = _next(request)
    if form.is_valid():
        try:
            comment = write_comment(target=target, author=request.user, now=timezone.now(), **form.cleaned_data)
        except VideoRefused as refusal:
            form.add_error("video", refusal.sentence)
        else:
            return done(request, f"{next_url}#comment-{comment.pk}")
    if answered := form.cleaned_data.get("parent"):
        return form_page(request, "comments/reply.html", form, {"comment": answered, "next_url": next_url})
    return form_page(request, "comments/thread_page.html", form, {"video": target, "next_url": next_url})


@require_safe
def reply(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Show a comment with the form that answers it, as scripts open it in the thread; a deleted one has replies."""
    top = _visible(request).filter(parent=None, target__shown_with=None)
    context = {"comment": get_object_or_404(top, pk=pk), "next_url": _next(request)}
    return render(request, "comments/reply.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Change one's own comment."""
    comment = get_object_or_404(_visible(request).filter(deleted_at=None), pk=pk)
    if not may_edit(comment=comment, user=request.user):
        raise PermissionDenied("Only its author changes a comment.")
    form = EditForm(request.POST if request.method == "POST" else None, comment=comment)
    next_url = _next(request)
    if request.method == "POST" and form.is_valid():
        edit_comment(comment=comment, text=form.cleaned_data["text"], now=timezone.now())
        return redirect(f"{next_url}#comment-{comment.pk}")
    return form_page(request, "comments/edit.html", form, {"comment": comment, "next_url": next_url})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: AuthenticatedRequest, pk: str) -> HttpResponse:
    """Ask, then delete a comment."""
    comment = get_object_or_404(_visible(request).filter(deleted_at=None), pk=pk)
    if not may_delete(comment=comment, user=request.user, teaches=teaches(request.user, comment.target)):
        raise PermissionDenied("Only its author or an instructor deletes a comment.")
    next_url = _next(request)
    if request.method != "POST":
        return render(request, "comments/confirm_delete.html", {"comment": comment, "next_url": next_url})
    delete_comment(comment=comment, by=request.user, now=timezone.now())
    messages.success(request, "The comment is deleted.")
    return redirect(f"{next_url}#comments")


def _visible(request: AuthenticatedRequest) -> "QuerySet[Comment]":
    rows = Comment.objects.filter(target__in=VideoAsset.objects.visible_to(request.user))
    return rows.select_related("target__classroom", "author", "video")


def _next(request: AuthenticatedRequest) -> str:
    """Return where the form wants to lead back to, if that is on this site; else home."""
    url = request.POST.get("next") or request.GET.get("next") or "/"
    allowed = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url.partition("#")[0] if allowed else "/"
