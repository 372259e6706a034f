"""The admin site for comments: to look them up; their pages change them."""

from django.contrib import admin

from comments.models import Comment
from core.admin import LookOnly


@admin.register(Comment)
class CommentAdmin(LookOnly):
    """Comments."""

    list_display = ["author", "target", "at_ms", "created_at", "deleted_at"]
    search_fields = ["text", "author__email", "author__name"]
    ordering = ["-created_at", "pk"]
    list_select_related = ["author", "target"]
