"""The runbook's one-shot upload: who may, what is refused, and that nothing is left behind."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from core.models import Upload, VideoAsset
from core.views.videos import upload_video
from tests import factories, videos

URL = "/core/api/upload-video/"


def files_of(settings) -> list[str]:
    return [str(path) for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_member_uploads_and_gets_the_measured_facts(ben, classroom, clip, as_user):
    sent = {"video": factories.upload_file(clip, "../my clip.mp4"), "name": "Try", "description": "One"}
    answer = as_user(ben).post(URL, sent)
    assert answer.status_code == 201, answer.content
    facts = answer.json()
    assert facts["duration_ms"] == pytest.approx(1000, abs=60)
    assert (facts["width_px"], facts["height_px"], facts["frame_rate"]) == (160, 90, "30/1")
    assert facts["mime_type"] == "video/mp4"
    assert facts["original_name"] == "my clip.mp4"
    assert answer["Cache-Control"] == "no-store"
    video = VideoAsset.objects.get()
    assert (video.audience, video.attached_at, Upload.objects.get().state) == ("owner", None, "complete")


def test_anonymous_is_401_with_the_body_unread(rf):
    request = rf.post(URL, b"never read", content_type="multipart/form-data; boundary=x")
    request.user = AnonymousUser()
    answer = upload_video(request)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert request.read() == b"never read"


def test_no_csrf_token_is_403(ben, classroom, clip):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ben, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(URL, {"video": factories.upload_file(clip), "name": "Try"})
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert not VideoAsset.objects.exists()


def test_a_csrf_header_is_enough_and_leaves_the_body_for_the_handler(ben, classroom, clip):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ben, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/accounts/profile/")
    token = client.cookies["csrftoken"].value
    answer = client.post(URL, {"video": factories.upload_file(clip), "name": "Try"}, headers={"X-CSRFToken": token})
    assert answer.status_code == 201, answer.content


@pytest.mark.parametrize("builder", sorted(videos.BAD, key=lambda builder: builder.__name__))
def test_what_is_no_video_is_422_with_a_reason_and_nothing_left(
    builder, ben, classroom, tmp_path, settings, as_user, django_capture_on_commit_callbacks
):
    path = builder(tmp_path)
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_user(ben).post(URL, {"video": factories.upload_file(path, "dance.mp4"), "name": "Try"})
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) > 10
    assert files_of(settings) == []
    assert not VideoAsset.objects.exists()


def test_too_large_is_413_before_the_body_is_read(ben, classroom, clip, settings, as_user):
    settings.MAX_VIDEO_BYTES = 10
    answer = as_user(ben).post(URL, {"video": factories.upload_file(clip), "name": "Try"})
    assert answer.status_code == 413
    assert files_of(settings) == []


def test_over_quota_is_413_and_nothing_is_kept(
    ben, classroom, clip, settings, as_user, django_capture_on_commit_callbacks
):
    settings.QUOTA_USER_BYTES = 100
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_user(ben).post(URL, {"video": factories.upload_file(clip), "name": "Try"})
    assert (answer.status_code, answer.json()["code"]) == (413, "over_quota")
    assert files_of(settings) == []


def test_without_a_class_or_with_somebody_elses_it_is_422(ben, cyd, classroom, clip, as_user):
    assert as_user(cyd).post(URL, {"video": factories.upload_file(clip), "name": "A"}).status_code == 422
    sent = {"video": factories.upload_file(clip), "name": "A", "classroom": classroom.pk}
    answer = as_user(cyd).post(URL, sent)
    assert (answer.status_code, answer.json()["errors"]["classroom"]) == (422, ["There is no such class."])


def test_no_length_is_411(ben, classroom, as_user):
    answer = as_user(ben).post(URL, CONTENT_LENGTH="")
    assert answer.status_code == 411


def test_a_site_that_cannot_check_videos_says_so_and_keeps_nothing(
    ben, classroom, clip, as_user, settings, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("core.media.confined.sys.executable", "/bin/false")
    monkeypatch.setattr("core.media.confined.UNAVAILABLE", 1)
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_user(ben).post(URL, {"video": factories.upload_file(clip), "name": "Try"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "Nothing was kept" in answer.json()["detail"]
    assert (files_of(settings), VideoAsset.objects.count()) == ([], 0)
