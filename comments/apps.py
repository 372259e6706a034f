"""What is said about a video, at a moment of it."""

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Comments and their thread."""

    name = "comments"
