"""Probes, the API, and media."""

from django.urls import path

from core.views import ops, parts, processing, uploads, videos

app_name = "core"

urlpatterns = [
    path("health/", ops.health_check, name="health"),
    path("ready/", ops.ready, name="ready"),
    path("metrics/", ops.metrics, name="metrics"),
    path("api/uploads/", uploads.upload_list, name="uploads"),
    path("api/uploads/<uuid:pk>/", uploads.upload_detail, name="upload"),
    path("api/uploads/<uuid:pk>/parts/", uploads.upload_parts, name="upload_parts"),
    path("api/uploads/<uuid:pk>/parts/<int:number>/", uploads.upload_part, name="upload_part"),
    path("api/uploads/<uuid:pk>/completion/", uploads.upload_completion, name="upload_completion"),
    path("api/parts/<uuid:pk>/<int:number>/", parts.upload_part_bytes, name="upload_part_bytes"),
    path("api/upload-video/", videos.upload_video, name="upload_video"),
    path("videos/<uuid:pk>/stream/", videos.stream, name="video_stream"),
    path("videos/<uuid:pk>/poster/", videos.poster, name="video_poster"),
    path("videos/<uuid:pk>/thumbnails.vtt", videos.thumbnails_map, name="video_thumbnails"),
    path("videos/<uuid:pk>/thumbnails.jpg", videos.thumbnails, name="video_thumbnails_sprite"),
    path("videos/<uuid:pk>/processing/", processing.status, name="video_processing"),
    path("videos/<uuid:pk>/processing/retry/", processing.retry, name="video_processing_retry"),
    path("media/<str:token>/", videos.signed_media, name="signed_media"),
]
