"""Bad input: answered in the 400s or ignored, never a 500, never shown as markup, never led astray by it."""

import pytest
from django.test import Client

from accounts.models import Membership
from comments.models import Comment
from core.models import VideoAsset
from exercises.models import Attempt, Exercise
from tests import factories
from tests.functional.playing import play

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
SHOWN_RAW = ("<script>alert(1)", "<img src=x")
HUGE_NUMBER = "9" * 5000
MEGABYTE = "a" * 1_000_000
NASTY = [
    "",
    "\0",
    MARKUP,
    HUGE_NUMBER,
    "-1",
    "1e3",
    "NaN",
    "\ufffd",
    "\u202e",
    "é" * 300,
    "%00",
    "../../etc/passwd",
    "a\r\nSet-Cookie: x=1",
]


@pytest.fixture
def attempt(ben, exercise, clip) -> Attempt:
    return factories.attempt(exercise, ben, clip, submitted=True)


def edited(exercise: Exercise, **fields: str) -> tuple[str, dict[str, str]]:
    sent = {"name": "Arms", "description": "", "review_mode": "private", **fields}
    return f"/exercises/{exercise.pk}/edit/", sent


def test_markup_in_every_text_is_shown_as_text(ada, ben, exercise, attempt, clip, as_user):
    type(ben).objects.filter(pk=ben.pk).update(name=MARKUP)
    type(exercise.classroom).objects.filter(pk=exercise.classroom_id).update(name=MARKUP)
    teacher = as_user(ada)
    path, sent = edited(exercise, name=MARKUP, description=MARKUP)
    assert teacher.post(path, sent).status_code == 302
    for video in (exercise.reference_id, attempt.video_id):
        assert as_user(ben).post(f"/videos/{video}/comments/", {"text": MARKUP}).status_code == 302
    pages = ["/", "/exercises/", f"/exercises/{exercise.pk}/", f"/attempts/{attempt.pk}/", "/queue/", "/classes/"]
    pages += [path, f"/classes/{exercise.classroom_id}/", f"/exercises/{exercise.pk}/delete/"]
    pages += [f"/comments/{Comment.objects.first().pk}/delete/"]
    for page in pages:
        shown = teacher.get(page).content.decode()
        assert not [raw for raw in SHOWN_RAW if raw in shown], page
    assert "&lt;script&gt;" in teacher.get("/exercises/").content.decode()


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("name", ["q", "classroom", "state", "older", "page", "order", "after", "unknown"])
def test_filters_and_cursors_that_mean_nothing_show_a_page(name, value, db, ben, as_user):
    client = as_user(ben)
    for path in ("/exercises/", "/queue/", "/"):
        answer = client.get(path, {name: value})
        assert answer.status_code == 200
        assert not [raw for raw in SHOWN_RAW if raw in answer.content.decode()]


CURSORS = [
    "2026-01-01T00:00:00+00:00_x",
    "2026-01-01T00:00:00_00000000-0000-0000-0000-000000000000",
    "0001-01-01T00:00:00+14:00_00000000-0000-0000-0000-000000000000",
    "9999-12-31T23:59:59-14:00_00000000-0000-0000-0000-000000000000",
    "2026-01-01T00:00:00+23:59_00000000-0000-0000-0000-000000000000",
    "_",
    "2026_2026_2026",
]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_made_up_cursor_shows_a_page(cursor, ada, exercise, attempt, as_user):
    client = as_user(ada)
    assert client.get("/exercises/", {"older": cursor}).status_code == 200
    assert client.get("/queue/", {"after": cursor}).status_code == 200


@pytest.mark.parametrize("value", [*NASTY, MEGABYTE], ids=range(len(NASTY) + 1))
@pytest.mark.parametrize("field", ["name", "description", "review_mode", "due_at"])
def test_any_value_of_a_field_is_taken_or_refused(field, value, ada, exercise, as_user):
    path, sent = edited(exercise, **{field: value})
    assert as_user(ada).post(path, sent).status_code in {302, 422}
    exercise.refresh_from_db()
    assert "\0" not in exercise.name + exercise.description
    assert len(exercise.name) <= 140
    assert as_user(ada).get(path).status_code == 200


@pytest.mark.parametrize("due_at", ["0001-01-01T00:00", "9999-12-31T23:59", "2999-12-31T23:59"])
def test_a_due_time_at_the_end_of_time_is_taken_or_refused_and_its_page_opens(due_at, ada, ben, exercise, as_user):
    path, sent = edited(exercise, due_at=due_at)
    type(exercise.classroom).objects.update(time_zone="Pacific/Kiritimati" if due_at < "2" else "Pacific/Niue")
    assert as_user(ada).post(path, sent).status_code in {302, 422}
    for page in (path, f"/exercises/{exercise.pk}/", "/exercises/", "/"):
        assert as_user(ben if page != path else ada).get(page).status_code == 200


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_any_value_is_refused_where_one_of_few_is_expected(value, ada, ben, exercise, attempt, as_user):
    teacher, member = as_user(ada), Membership.objects.get(user=ben)
    assert teacher.post(f"/attempts/{attempt.pk}/review/", {"verdict": value}).status_code == 302
    assert teacher.post(f"/members/{member.pk}/role/", {"role": value}).status_code == 302
    sent = {"email": value, "role": value}
    assert teacher.post(f"/classes/{exercise.classroom_id}/members/", sent).status_code == 422
    attempt.refresh_from_db()
    assert (attempt.state, Membership.objects.get(user=ben).role) == ("submitted", "learner")


@pytest.mark.parametrize("path", ["/exercises/1/", "/exercises/" + "9" * 5000 + "/", "/attempts/x/", "/%00/", "/%ff/"])
def test_an_address_of_nothing_is_404(path, ben, as_user):
    assert as_user(ben).get(path).status_code == 404


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_next_leads_to_no_other_site(url, ben, exercise, as_user):
    client = as_user(ben)
    answer = client.post(f"/videos/{exercise.reference_id}/comments/", {"text": "Hi", "next": url})
    assert answer["Location"].startswith("/#comment-")
    comment = Comment.objects.get()
    for path in ("edit", "delete"):
        shown = client.get(f"/comments/{comment.pk}/{path}/", {"next": url}).content.decode()
        assert "evil.example" not in shown
        assert "javascript:" not in shown
        assert client.post(f"/comments/{comment.pk}/{path}/", {"text": "Hi", "next": url})["Location"].startswith("/")


def test_a_line_break_in_next_makes_no_header(ben, exercise, as_user):
    sent = {"text": "Hi", "next": "/exercises/\r\nSet-Cookie: x=1"}
    answer = as_user(ben).post(f"/videos/{exercise.reference_id}/comments/", sent)
    assert answer.status_code in {302, 400}
    assert "x" not in answer.cookies


def test_more_text_than_allowed_is_413_or_400(ada, exercise, as_user):
    path, sent = edited(exercise, description="a" * 3_000_000)
    assert as_user(ada).post(path, sent).status_code in {400, 413}


def test_more_fields_than_allowed_is_400(ada, exercise, as_user):
    path, sent = edited(exercise)
    assert as_user(ada).post(path, {**sent, **{f"f{number}": "" for number in range(300)}}).status_code == 400


def test_fields_a_form_does_not_offer_change_nothing(ada, ben, cyd, exercise, attempt, clip, as_user):
    forged = {"state": "passed", "learner": str(cyd.pk), "owner": str(cyd.pk), "audience": "classroom", "number": "9"}
    forged |= {
        "author": str(cyd.pk),
        "reviewed_by": str(ben.pk),
        "created_by": str(cyd.pk),
        "storage_path": "x",
        "id": "1",
    }
    learner = as_user(ben)
    learner.post(f"/attempts/{attempt.pk}/withdraw/", forged)
    learner.post(f"/exercises/{exercise.pk}/attempts/", {**forged, "video": factories.upload_file(clip)})
    learner.post(f"/attempts/{attempt.pk}/submit/", forged)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.learner, attempt.number, attempt.video.audience) == (
        "submitted", ben, 1, VideoAsset.Audience.INSTRUCTORS,
    )  # fmt: skip
    learner.post(f"/videos/{exercise.reference_id}/comments/", {**forged, "text": "Hi", "deleted_at": "2026-01-01"})
    comment = Comment.objects.get()
    assert (comment.author, comment.deleted_at) == (ben, None)
    path, sent = edited(exercise, **forged)
    as_user(ada).post(path, sent)
    exercise.refresh_from_db()
    assert (exercise.state, exercise.created_by) == ("published", ada)


DAMAGED = [
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nhalf a header"),
    ("multipart/form-data; boundary=x", b""),
    ("application/json", b'{"text": NaN}'),
    ("application/x-www-form-urlencoded", b"text=%00&at_ms=%ff%fe"),
    ("text/plain", b"[" * 100_000),
    ("application/x-www-form-urlencoded; charset=utf-99", b"text=x"),
]


@pytest.mark.parametrize(("content_type", "body"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_body_is_in_the_400s_and_leaves_nothing(
    content_type, body, ben, exercise, attempt, as_user, settings
):
    client = as_user(ben)
    for path in ("/core/api/upload-video/", f"/exercises/{exercise.pk}/attempts/"):
        assert 400 <= client.generic("POST", path, body, content_type).status_code < 500
    assert list(settings.INCOMING_ROOT.iterdir()) == []
    assert client.generic("POST", "/accounts/profile/", body, content_type).status_code < 500


def test_an_empty_form_is_422(ada, ben, exercise, as_user):
    comment = Comment.objects.create(target=exercise.reference, author=ben, text="Hi", created_at=exercise.created_at)
    statuses = [
        as_user(user).post(path).status_code
        for user, path in (
            (ben, "/accounts/profile/"),
            (ada, f"/exercises/{exercise.pk}/edit/"),
            (ben, f"/comments/{comment.pk}/edit/"),
        )
    ]
    assert statuses == [422] * 3


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_the_upload_takes_or_refuses_any_text(value, ben, classroom, clip, as_user):
    sent = {"video": factories.upload_file(clip), "name": value or "x", "description": value, "classroom": value}
    answer = as_user(ben).post("/core/api/upload-video/", sent)
    assert answer.status_code in {201, 422}
    assert answer.json()


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_logging_in_with_anything_is_refused(value, db):
    answer = Client().post("/accounts/login/", {"login": value, "password": value, "next": value})
    assert answer.status_code == 200
    answer = Client().post("/accounts/password/reset/", {"email": value})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", ["Range", "If-None-Match", "If-Range", "If-Match", "Accept", "X-Request-ID", "Cookie"]
)
def test_any_header_is_answered(header, ben, exercise, as_user):
    for value in ("bytes=" + HUGE_NUMBER + "-", '"' * 500, MARKUP, "bytes=-" + HUGE_NUMBER):
        answer = play(as_user(ben), f"/core/videos/{exercise.reference_id}/stream/", **{header: value})
        assert answer.status_code < 500


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "a\\b", ""])
def test_a_host_that_is_not_ours_is_400(host, db):
    assert Client().get("/accounts/login/", headers={"Host": host}).status_code == 400
