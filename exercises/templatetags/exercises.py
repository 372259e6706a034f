"""Exercises on pages of other apps, and as cards.

# Note [Ready-made cards]
A card, and a row of an instructor's own, is the same for everybody who is shown the same facts, so its HTML is kept by
those facts and nothing else: a fact that changes is another card, and none is ever out of date. A list of 24 took a
sixth of its time to draw them.
"""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django import template
from django.template.loader import get_template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Classroom
from accounts.places import places
from core.templatetags.practika import due
from exercises.cards import Counts, Row, ShownVideo, readers_rows
from exercises.models import Exercise

KEPT_CARDS = 2048
SHOWN_OF_CLASS = 12

register = template.Library()


class Card(NamedTuple):
    """Everything a card shows; `due` is its element, whose words depend on the year."""

    pk: UUID
    name: str
    by: str
    classroom: str
    due: str
    state: str
    my_state: str
    is_late: bool
    heading: int
    reference: ShownVideo


@register.simple_tag
def exercise_card(row: Row, heading: int = 2, *, hide_class: bool = False) -> SafeString:
    """Return an exercise in a list; `heading` is the level of its name."""
    return _drawn(
        Card(
            pk=row.pk,
            name=row.name,
            by=row.by,
            classroom="" if hide_class else row.classroom,
            due=due(row.due_at, row.time_zone),
            state=row.state,
            my_state=row.standing.my_state,
            is_late=row.standing.is_late,
            heading=heading,
            reference=row.reference,
        )
    )


@register.simple_tag
@lru_cache(KEPT_CARDS)
def exercise_row(row: Row, counts: Counts) -> SafeString:
    """Return an exercise in its instructor's list; `row` stands for nobody in particular."""
    return mark_safe(get_template("_partials/exercise_row.html").render({"row": row, "counts": counts}))  # noqa: S308


@lru_cache(KEPT_CARDS)
def _drawn(card: Card) -> SafeString:
    return mark_safe(get_template("_partials/exercise_card.html").render({"card": card}))  # noqa: S308 (a template's)


class Shelf(NamedTuple):
    """The newest exercises of a class, and whether it has others."""

    exercises: list[Row]
    has_more: bool


@register.simple_tag(takes_context=True)
def exercises_of(context: template.Context, classroom: Classroom) -> Shelf:
    """Return the newest exercises of a class that the reader may see, as cards."""
    request = context["request"]
    newest = Exercise.objects.visible_to(request.user).filter(classroom=classroom).order_by("-created_at", "-pk")
    found = readers_rows(newest[: SHOWN_OF_CLASS + 1], user=request.user, roles=places(request), now=timezone.now())
    return Shelf(found[:SHOWN_OF_CLASS], len(found) > SHOWN_OF_CLASS)
