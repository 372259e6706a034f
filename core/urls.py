"""Probes, the API, and media."""

from django.urls import path

from core.views import ops, videos

app_name = "core"

urlpatterns = [
    path("health/", ops.health_check, name="health"),
    path("ready/", ops.ready, name="ready"),
    path("metrics/", ops.metrics, name="metrics"),
    path("api/upload-video/", videos.upload_video, name="upload_video"),
    path("videos/<uuid:pk>/stream/", videos.stream, name="video_stream"),
    path("videos/<uuid:pk>/poster/", videos.poster, name="video_poster"),
    path("media/<str:token>/", videos.signed_media, name="signed_media"),
]
