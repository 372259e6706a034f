"""Exercises, attempts, and the instructor's queue."""

from django.apps import AppConfig


class ExercisesConfig(AppConfig):
    """What is practised, and the answers to it."""

    name = "exercises"
