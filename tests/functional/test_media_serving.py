"""Videos and posters over HTTP: ranges, validators, signed links, and the redirect to S3."""

from datetime import timedelta
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.core import signing
from django.core.files.storage import storages
from django.utils import timezone

from core.models import AuditEvent, VideoAsset
from core.services.storage import VideoStorageService, signed_media_path, signed_media_token
from core.storage.options import S3_STORAGE
from tests import factories
from tests.functional.playing import play, played
from tests.storage.conftest import s3_address, s3_storage, s3_values  # noqa: F401 (fixtures)


@pytest.fixture
def stream(exercise) -> str:
    return f"/core/videos/{exercise.reference_id}/stream/"


def body_of(answer) -> bytes:
    return played(answer).content


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_the_whole_video_is_sent_privately_and_sandboxed(ben, clip, stream, as_user):
    answer = as_user(ben).get(stream)
    assert body_of(answer) == clip.read_bytes()
    assert (answer.status_code, answer["Content-Type"], answer["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox allow-same-origin; default-src 'none'; media-src 'self'"
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("Tendu at the barre", 'filename="Tendu at the barre.mp4"'),
        ("Jeté 1/2", "filename*=utf-8''Jet%C3%A9%201-2.mp4"),
        ("💃", "filename*=utf-8''%F0%9F%92%83.mp4"),
        ('a"b\r\nSet-Cookie: c', 'filename="a\\"bSet-Cookie: c.mp4"'),
        ("", 'filename="IMG_1.mp4"'),
        ("..", 'filename="video.mp4"'),
    ],
)
def test_a_video_plays_in_its_place_and_is_saved_under_its_name(name, file_name, ben, exercise, stream, as_user):
    VideoAsset.objects.filter(pk=exercise.reference_id).update(name=name, original_name="IMG_1.MOV")
    for address, kind in ((stream, "inline"), (f"{stream}?download", "attachment")):
        assert play(as_user(ben), address).headers["Content-Disposition"] == f"{kind}; {file_name}"


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
@pytest.mark.parametrize(
    ("asked", "first", "end"), [("bytes=0-1", 0, 2), ("bytes=100-", 100, None), ("bytes=-10", -10, None)]
)
def test_a_range_is_sent_as_asked(asked, first, end, ben, clip, stream, as_user):
    answer = as_user(ben).get(stream, headers={"Range": asked})
    whole = clip.read_bytes()
    assert answer.status_code == 206
    assert body_of(answer) == whole[first:end]
    assert answer["Content-Range"].endswith(f"/{len(whole)}")
    assert int(answer["Content-Length"]) == len(whole[first:end])


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_a_range_behind_the_end_is_416(ben, clip, stream, as_user):
    answer = as_user(ben).get(stream, headers={"Range": "bytes=99999999-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{clip.stat().st_size}")


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
@pytest.mark.parametrize("kind", ["stream", "poster"])
def test_head_says_what_get_would_and_the_tag_makes_304(kind, ben, exercise, as_user):
    address = f"/core/videos/{exercise.reference_id}/{kind}/"
    client = as_user(ben)
    head, got = client.head(address), client.get(address)
    assert int(head["Content-Length"]) == len(body_of(got)) > 0
    assert head["ETag"] == got["ETag"]
    assert (head["Content-Type"], body_of(head)) == (got["Content-Type"], b"")
    unchanged = client.get(address, headers={"If-None-Match": got["ETag"]})
    assert (unchanged.status_code, body_of(unchanged)) == (304, b"")


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_an_unchanged_tag_still_needs_permission(ben, cyd, stream, as_user):
    tag = as_user(ben).head(stream)["ETag"]
    assert as_user(cyd).get(stream, headers={"If-None-Match": tag}).status_code == 404


def test_a_poster_is_a_jpeg(ben, exercise, as_user):
    answer = play(as_user(ben), f"/core/videos/{exercise.reference_id}/poster/")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_a_row_without_its_file_is_404(ben, exercise, stream, as_user):
    VideoStorageService().delete_video(exercise.reference.storage_path)
    assert as_user(ben).get(stream).status_code == 404


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_behind_nginx_the_file_is_handed_over(ben, exercise, stream, as_user, settings):
    settings.X_ACCEL_PREFIX = "/protected/"
    answer = as_user(ben).get(stream)
    assert answer["X-Accel-Redirect"] == f"/protected/{exercise.reference.storage_path}"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer.content == b""


@pytest.mark.one_stack("development", why="local videos are sent by the site itself")
def test_behind_nginx_too_a_browser_that_has_the_video_is_not_sent_it_again(ben, stream, as_user, settings):
    settings.X_ACCEL_PREFIX = "/protected/"
    etag = as_user(ben).get(stream)["ETag"]
    answer = as_user(ben).get(stream, headers={"If-None-Match": etag})
    assert (answer.status_code, answer["ETag"]) == (304, etag)
    assert "X-Accel-Redirect" not in answer


def test_staff_who_look_are_written_down_once_an_hour(staff, ben, stream, as_user):
    for user in (staff, staff, ben):
        play(as_user(user), stream)
    assert AuditEvent.objects.filter(action="video.viewed_by_staff", actor=staff).count() == 1


def test_a_signed_link_plays_without_an_account_until_it_expires(exercise, clip, client, link_made_before):
    path = exercise.reference.storage_path
    answer = play(client, signed_media_path(path, 60))
    assert (answer.status_code, answer.content) == (200, clip.read_bytes())
    assert client.get(link_made_before(path, 60, timedelta(seconds=61))).status_code == 404


@pytest.fixture
def link_made_before(monkeypatch):
    """Return a function that makes a link as it was made some time ago."""

    def link(path: str, seconds: int, ago: timedelta) -> str:
        with monkeypatch.context() as patch:
            then = (timezone.now() - ago).timestamp()
            patch.setattr(signing.time, "time", lambda: then)
            return signed_media_path(path, seconds)

    return link


def test_a_forged_or_retargeted_link_is_404(exercise, client):
    token = signed_media_token(exercise.reference.storage_path, 60)
    other_salt = signing.TimestampSigner(salt="other").sign_object([exercise.reference.storage_path, 60])
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), "A" + token, other_salt, "x", "x:y:z", "a" * 5000):
        assert client.get(f"/core/media/{forged}/").status_code == 404


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "incoming/x", "videos/../../db.sqlite3", "\0"])
def test_a_signed_path_that_is_no_video_of_ours_is_404(path, db, client):
    assert client.get(signed_media_path(path, 60)).status_code == 404


@pytest.mark.parametrize("path", ["..%2f..%2fetc%2fpasswd", "%2e%2e/x", "videos/x.mp4", "%00"])
def test_media_is_at_no_other_address(path, ben, as_user):
    client = as_user(ben)
    for prefix in ("/core/media/", "/media/", "/static/", "/core/videos/"):
        assert client.get(f"{prefix}{path}").status_code in {301, 404}


def test_in_s3_mode_a_player_is_sent_to_a_signed_address(ben, exercise, clip, as_user, settings, request):
    address, storage = request.getfixturevalue("s3_address"), request.getfixturevalue("s3_storage")
    settings.USE_S3 = True
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": S3_STORAGE, "OPTIONS": s3_values(address)}}
    before = {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()}
    made = factories.exercise(exercise.classroom, exercise.created_by, clip, name="In S3", published=True)
    assert type(storages["default"]) is type(storage)
    for kind in ("stream", "poster"):
        answer = as_user(ben).get(f"/core/videos/{made.reference_id}/{kind}/")
        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        assert urlsplit(answer["Location"]).query
        with urlopen(answer["Location"], timeout=10) as sent:
            assert kind == "poster" or sent.read() == clip.read_bytes()
    assert {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()} == before
