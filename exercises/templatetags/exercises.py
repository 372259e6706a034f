"""Exercises on pages of other apps."""

from django import template
from django.db.models import QuerySet

from accounts.models import Classroom
from exercises.cards import with_my_state
from exercises.models import Exercise

register = template.Library()


@register.simple_tag(takes_context=True)
def exercises_of(context: template.Context, classroom: Classroom) -> QuerySet[Exercise]:
    """Return the newest exercises of a class that the reader may see, as cards."""
    user = context["request"].user
    exercises = Exercise.objects.visible_to(user).filter(classroom=classroom)
    return with_my_state(exercises, user).order_by("-created_at", "-pk")[:12]
