"""What every page says the same way: times, lengths, sizes, icons and states.

# Note [Words come from the server]
A page must read well before any script has run, so "2 hours ago" and "0:04.2" are written here and not by the
browser. The exact time is kept beside the relative one: in `datetime` for machines, in `title` for people.
"""

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.template.base import FilterExpression, Node, Parser, TextNode, Token
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.models import VideoAsset
from core.services.playback import Preparation, preparation

register = template.Library()


class Shown(Protocol):
    """A video as a poster needs it: a VideoAsset, or what a card keeps of one."""

    @property
    def pk(self) -> Any: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def width_px(self) -> int | None: ...  # noqa: D102
    @property
    def height_px(self) -> int | None: ...  # noqa: D102


STATE_WORDS = {
    "to do": "To do",
    "draft": "Draft",
    "submitted": "Submitted",
    "redo": "Redo",
    "passed": "Passed",
    "late": "Late",
    "published": "Published",
    "archived": "Archived",
}

KEPT_TIMES = 4096
_STEPS = (("minute", 60), ("hour", 3600), ("day", 86400), ("week", 7 * 86400))
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


@register.filter
def timecode(at_ms: int | None) -> str:
    """Return a moment of a video to the tenth of a second, rounded down: 4260 is "0:04.2"; "" for None."""
    if at_ms is None or at_ms == "":
        return ""
    tenths = max(int(at_ms), 0) // 100
    return f"{_clock(tenths // 10)}.{tenths % 10}"


@register.filter
def duration(length_ms: int | None) -> str:
    """Return a length in whole seconds, at least one when there is any: 3661000 is "1:01:01"; "" for None."""
    if length_ms is None or length_ms == "":
        return ""
    length_ms = max(int(length_ms), 0)
    return _clock(max((length_ms + 500) // 1000, 1 if length_ms else 0))


@register.filter
def iso_seconds(at_ms: int | None) -> str:
    """Return a moment as a media fragment has it (https://www.w3.org/TR/media-frags/): 4260 is "4.26"."""
    if at_ms is None or at_ms == "":
        return ""
    whole, rest = divmod(max(int(at_ms), 0), 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


@register.filter
def file_size(size_bytes: int | None) -> str:
    """Return a size in decimal units with one digit after the point: 12_400_000 is "12.4 MB"; "" for None."""
    if size_bytes is None or size_bytes == "":
        return ""
    for unit_bytes, unit in _SIZES:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes} bytes"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Return a <time> element with how long ago (or ahead) a moment is; the exact time is its title."""
    if not moment:
        return ""
    return _time_element(moment, relative_words(moment, timezone.now()), timezone.get_current_timezone())


@register.filter
def due(moment: datetime | None, zone_name: str = "") -> SafeString | str:
    """Return a <time> element with a due date in its class's own time zone: "Friday 29 November, 18:00"."""
    if not moment:
        return ""
    zone = _zone(zone_name) or timezone.get_current_timezone()
    return _due_element(moment, zone, timezone.localtime(timezone.now(), zone).year)


@register.filter
def time_left(seconds: int) -> str:
    """Return a rough length for people who wait: 8 is "10 seconds", 150 is "3 minutes"."""
    if seconds < 60:
        return f"{max(10, -(-seconds // 10) * 10)} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}" if minutes < 90 else f"{round(minutes / 60)} hours"


@register.inclusion_tag("_partials/preparation.html", takes_context=True)
def preparation_status(context: dict[str, Any], preparation: Preparation) -> dict[str, Any]:
    """Show how far the version for every device is."""
    return {"preparation": preparation, "request": context["request"], "csrf_token": context.get("csrf_token")}


@register.simple_tag(takes_context=True)
def preparation_of(context: dict[str, Any], video: VideoAsset) -> Preparation | None:
    """Return how far the version for every device is for this reader, None for a video that needs none."""
    return preparation(video=video, user=context["request"].user, now=timezone.now())


@register.simple_tag
def poster(video: Shown, loading: str = "lazy") -> SafeString:
    """Show a video's poster; while it is checked, a quiet stand-in of its own."""
    if video.state != VideoAsset.State.READY:
        return format_html('<span class="poster-pending">{}</span>', icon("exercise", "Being checked"))
    return format_html(
        '<img src="{}" alt="" width="{}" height="{}" loading="{}">',
        reverse("core:video_poster", args=[video.pk]),
        video.width_px,
        video.height_px,
        loading,
    )


@register.filter
def initials(name: str) -> str:
    """Return the first letters of a name's first and last words, for its sign: "Ada Lovelace" is "AL"."""
    words = [word for word in str(name).split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


@lru_cache(256)
def icon(name: str, label: str = "") -> SafeString:
    """Return a picture of static/icons.svg: hidden from screen readers, unless it has a label of its own."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" width="24" height="24" {}><use href="{}#{}"/></svg>',
        spoken,
        static("icons.svg"),
        name.replace(" ", "-"),
    )


class IconNode(Node):
    """An icon whose name or label is known only when the page is drawn."""

    def __init__(self, words: list[FilterExpression]) -> None:
        self.words = words

    def render(self, context: template.Context) -> SafeString:
        """Return the picture."""
        return icon(*[str(word.resolve(context)) for word in self.words])


@register.tag("icon")
def icon_tag(parser: Parser, token: Token) -> Node:
    """Put `icon` into a template; one named in so many words is drawn once, when the template is read.

    A page has a hundred icons, nearly all of them such.
    """
    words = [parser.compile_filter(word) for word in token.split_contents()[1:]]
    if any(word.is_var or word.filters for word in words):
        return IconNode(words)
    return TextNode(icon(*[str(word.var) for word in words]))


@register.tag
def stylesheets(parser: Parser, token: Token) -> TextNode:
    """Return the links to files of static/css/, named without their ending; made once, when the template is read."""
    names = token.split_contents()[1:]
    return TextNode("".join(f'<link rel="stylesheet" href="{static(f"css/{name}.css")}">' for name in names))


@register.simple_tag
@lru_cache(64)
def state_badge(state: str) -> SafeString | str:
    """Return a state as a word, a color and a shape; nothing for an empty state."""
    if not state:
        return ""
    slug = str(state).replace(" ", "-")
    word = STATE_WORDS.get(str(state), str(state).capitalize())
    return format_html('<span class="badge badge--{}">{}{}</span>', slug, icon(f"state-{state}"), word)


def relative_words(moment: datetime, now: datetime) -> str:
    """Return the distance of two moments in words: "just now", "3 hours ago", "in 2 days", then the date."""
    seconds = int((now - moment) / timedelta(seconds=1))
    distance = abs(seconds)
    if distance < _STEPS[0][1]:
        return "just now" if seconds >= 0 else "in a moment"
    if distance >= 5 * _STEPS[-1][1]:
        return _day(moment, timezone.get_current_timezone())
    unit, unit_seconds = next(step for step in reversed(_STEPS) if distance >= step[1])
    count = distance // unit_seconds
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


# Dates are spelled letter by letter, which takes longer than all else that a row of a list says.
@lru_cache(KEPT_TIMES)
def _time_element(moment: datetime, words: str, zone: tzinfo) -> SafeString:
    exact = date_format(timezone.localtime(moment, zone), "l j F Y, H:i T")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, words)


@lru_cache(KEPT_TIMES)
def _due_element(moment: datetime, zone: tzinfo, this_year: int) -> SafeString:
    local = timezone.localtime(moment, zone)
    words = date_format(local, "l j F, H:i" if local.year == this_year else "l j F Y, H:i")
    return _time_element(moment, words, zone)


@lru_cache(KEPT_TIMES)
def _day(moment: datetime, zone: tzinfo) -> str:
    return date_format(timezone.localtime(moment, zone), "j F Y")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
