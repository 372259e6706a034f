"""Comments."""

from django.urls import path

from comments.views import comments

app_name = "comments"

urlpatterns = [
    path("videos/<uuid:video_pk>/comments/", comments.create, name="create"),
    path("comments/<uuid:pk>/reply/", comments.reply, name="reply"),
    path("comments/<uuid:pk>/edit/", comments.edit, name="edit"),
    path("comments/<uuid:pk>/delete/", comments.delete, name="delete"),
]
