"""The upload as most Django sites write it: a model with a FileField, its ModelForm, and `form.save()`.

One file is a whole project here. It has no session, no log-in and no CSRF check, which only makes it faster.
`USUAL_MEDIA` says where videos go, `USUAL_TEMPORARY` where Django puts them until the form is saved.
"""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

MEDIA = Path(os.environ["USUAL_MEDIA"])

settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="benchmark",
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(MEDIA.parent / "usual.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MEDIA_ROOT=MEDIA,
    FILE_UPLOAD_TEMP_DIR=os.environ["USUAL_TEMPORARY"],
)
django.setup()


class Video(models.Model):
    """A video as most sites keep it."""

    name = models.CharField(max_length=140)
    video = models.FileField(upload_to="videos/%Y/%m/")

    class Meta:
        app_label = "usual"

    def __str__(self) -> str:
        return self.name


VideoForm = modelform_factory(Video, fields=["name", "video"])


def upload(request: HttpRequest) -> HttpResponse:
    """Save the form; 201 with the key of the row."""
    form = VideoForm(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    return JsonResponse({"id": form.save().pk}, status=201)


with connection.schema_editor() as editor:
    editor.create_model(Video)

urlpatterns = [path("core/api/upload-video/", upload)]
application = get_wsgi_application()
