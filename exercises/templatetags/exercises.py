"""Exercises on pages of other apps, and as cards.

# Note [Ready-made cards]
A card is the same for everybody who is shown the same facts, so its HTML is kept by those facts and nothing else: a
fact that changes is another card, and none is ever out of date. A list of 24 took a sixth of its time to draw them.
"""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django import template
from django.db.models import QuerySet
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Classroom
from core.templatetags.practika import due
from exercises.cards import with_my_state
from exercises.models import Exercise

KEPT_CARDS = 2048

register = template.Library()


class ShownVideo(NamedTuple):
    """What a card shows of the reference."""

    pk: UUID
    state: str
    width_px: int | None
    height_px: int | None
    duration_ms: int | None


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
def exercise_card(exercise: Exercise, heading: int = 2, *, hide_class: bool = False) -> SafeString:
    """Return an exercise (from `with_my_state`) in a list; `heading` is the level of its name."""
    video = exercise.reference
    return _drawn(
        Card(
            pk=exercise.pk,
            name=exercise.name,
            by=exercise.created_by.name,
            classroom="" if hide_class else exercise.classroom.name,
            due=due(exercise.due_at, exercise.classroom.time_zone),
            state=exercise.state,
            my_state=exercise.my_state,
            is_late=exercise.is_late,
            heading=heading,
            reference=ShownVideo(video.pk, video.state, video.width_px, video.height_px, video.duration_ms),
        )
    )


@lru_cache(KEPT_CARDS)
def _drawn(card: Card) -> SafeString:
    return mark_safe(get_template("_partials/exercise_card.html").render({"card": card}))  # noqa: S308 (a template's)


@register.simple_tag(takes_context=True)
def exercises_of(context: template.Context, classroom: Classroom) -> QuerySet[Exercise]:
    """Return the newest exercises of a class that the reader may see, as cards."""
    user = context["request"].user
    exercises = Exercise.objects.visible_to(user).filter(classroom=classroom)
    return with_my_state(exercises, user).order_by("-created_at", "-pk")[:12]
