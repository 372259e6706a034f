"""The admin site for exercises and attempts: to look them up; their pages change them."""

from django.contrib import admin

from core.admin import LookOnly
from exercises.models import Attempt, Exercise


@admin.register(Exercise)
class ExerciseAdmin(LookOnly):
    """Exercises."""

    list_display = ["name", "classroom", "created_by", "state", "due_at", "created_at"]
    list_filter = ["state"]
    search_fields = ["name", "classroom__name", "created_by__email"]
    ordering = ["-created_at", "pk"]
    list_select_related = ["classroom", "created_by"]


@admin.register(Attempt)
class AttemptAdmin(LookOnly):
    """Attempts."""

    list_display = ["exercise", "learner", "number", "state", "submitted_at", "reviewed_at"]
    list_filter = ["state"]
    search_fields = ["exercise__name", "learner__email", "learner__name"]
    ordering = ["-created_at", "pk"]
    list_select_related = ["exercise", "learner"]
