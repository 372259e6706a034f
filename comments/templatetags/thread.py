"""`{% thread video %}` puts the comments of a video on any page."""

from typing import Any

from django import template
from django.template.loader import render_to_string

from comments.forms import CommentForm
from comments.thread import thread_of
from core.models import VideoAsset

register = template.Library()


@register.simple_tag(takes_context=True)
def thread(context: template.Context, video: VideoAsset, form: CommentForm | None = None, next_url: str = "") -> str:
    """Return the thread with its composer; the page has already decided that the reader may see the video.

    `form` is a composer that was sent and refused; `next_url` is where its forms lead back to, else this page.
    """
    request = context["request"]
    shown: dict[str, Any] = {
        "video": video,
        "comments": thread_of(video, request.user),
        "form": form or CommentForm(target=video),
        "next_url": next_url or request.get_full_path(),
        "may_write": True,
    }
    return render_to_string("comments/thread.html", shown, request=request)
