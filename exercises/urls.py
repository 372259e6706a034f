"""Exercises, attempts, the queue."""

from django.urls import path

from exercises.views import attempts, exercises, listing, queue

app_name = "exercises"

urlpatterns = [
    path("exercises/", listing.exercise_list, name="list"),
    path("exercises/create/", exercises.create, name="create"),
    path("exercises/<uuid:pk>/", exercises.detail, name="detail"),
    path("exercises/<uuid:pk>/edit/", exercises.edit, name="edit"),
    path("exercises/<uuid:pk>/video/", exercises.replace_video, name="replace_video"),
    path("exercises/<uuid:pk>/publish/", exercises.publish, name="publish"),
    path("exercises/<uuid:pk>/unpublish/", exercises.unpublish, name="unpublish"),
    path("exercises/<uuid:pk>/delete/", exercises.delete, name="delete"),
    path("exercises/<uuid:pk>/attempts/", attempts.attempt_create, name="attempt_create"),
    path("attempts/<uuid:pk>/", attempts.attempt, name="attempt"),
    path("attempts/<uuid:pk>/submit/", attempts.attempt_submit, name="attempt_submit"),
    path("attempts/<uuid:pk>/withdraw/", attempts.attempt_withdraw, name="attempt_withdraw"),
    path("attempts/<uuid:pk>/delete/", attempts.attempt_delete, name="attempt_delete"),
    path("attempts/<uuid:pk>/review/", attempts.attempt_review, name="attempt_review"),
    path("queue/", queue.queue, name="queue"),
]
