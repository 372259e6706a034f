"""`{% thread video %}` puts the comments of a video on any page.

# Note [Ready-made comments]
A comment with the replies to it is the same for everybody who is shown the same facts: who said what, when (in words),
what the reader may do with it, and on which page. So its HTML is kept by these and nothing else: a fact that changes
is another comment, and none is ever out of date or shows what another may see. Drawing twenty took more than half of a
page's time. Drawn each time are those with a video, because how far it is prepared is their reader's own, and, so that
nobody fills the memory, long ones and those that lead back to any other address than the page's plain one.
"""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from django import template
from django.template.loader import get_template, render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from comments.forms import CommentForm
from comments.thread import Row, Said, thread_of
from core.models import VideoAsset
from core.templatetags.practika import ago

KEPT_COMMENTS = 1024
KEPT_CHARACTERS = 6000  # of a comment with its replies
REPLY_CHARACTERS = 500  # what a reply brings besides its text, about

register = template.Library()


class Place(NamedTuple):
    """The page that a thread stands on: where its links lead back to (quoted), and where its video's stream is."""

    next_url: str
    stream_url: str


class Shown(NamedTuple):
    """Everything that one comment shows; `when` and `video` are elements, what `row` says of its author is a name."""

    row: Row
    when: str
    by_instructor: bool
    may_edit: bool
    may_delete: bool
    video: str
    replies: tuple["Shown", ...]
    top: bool


@register.simple_tag(takes_context=True)
def thread(context: template.Context, video: VideoAsset, form: CommentForm | None = None, next_url: str = "") -> str:
    """Return the thread with its composer; the page has already decided that the reader may see the video.

    `form` is a composer that was sent and refused; `next_url` is where its forms lead back to, else this page.
    """
    request = context["request"]
    next_url = next_url or request.get_full_path()
    tops = thread_of(video, request.user)
    place = Place(quote(next_url, safe=""), reverse("core:video_stream", args=[video.pk]))
    is_plain = next_url == request.path
    shown: dict[str, Any] = {
        "video": video,
        "comments": [
            (_kept if is_plain and _is_short(said) else _drawn)(_shown(request, said, top=True), place) for said in tops
        ],
        "count": sum(one.row.deleted_at is None for said in tops for one in (said, *said.replies)),
        "form": form or CommentForm(target=video),
        "next_url": next_url,
    }
    return render_to_string("comments/thread.html", shown, request=request)


def _is_short(said: Said) -> bool:
    characters = sum(len(one.row.text) + REPLY_CHARACTERS for one in (said, *said.replies))
    return characters <= KEPT_CHARACTERS and not any(one.video for one in (said, *said.replies))


def _shown(request: Any, said: Said, *, top: bool) -> Shown:
    return Shown(
        row=said.row,
        when=ago(said.row.created_at),
        by_instructor=said.by_instructor,
        may_edit=said.may_edit,
        may_delete=said.may_delete,
        video=render_to_string("comments/_video.html", {"said": said}, request=request) if said.video else "",
        replies=tuple(_shown(request, reply, top=False) for reply in said.replies),
        top=top,
    )


def _drawn(shown: Shown, place: Place) -> SafeString:
    return mark_safe(get_template("comments/_comment.html").render({"shown": shown, "place": place}))  # noqa: S308


_kept = lru_cache(KEPT_COMMENTS)(_drawn)
