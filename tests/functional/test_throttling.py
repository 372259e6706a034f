"""Who asks too often is told when to come again, by account and by address; nobody else notices."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import URLPattern, get_resolver

from comments.models import Comment
from core import throttling
from core.limits import Limit
from core.models import Throttle, Upload
from core.process_limits import ProcessLimits
from tests.functional.uploading import Uploader

LOGIN, RESET, SIGN_UP = "/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"
ME, UPLOADS = "/accounts/api/me/", "/core/api/uploads/"


@pytest.fixture(autouse=True)
def small_limits(settings, monkeypatch):
    """Two by an account, four from an address, of everything."""
    monkeypatch.setattr(throttling, "HERE", ProcessLimits())
    settings.LIMITS = dict.fromkeys(settings.LIMITS, (Limit.read("2/1h"), Limit.read("4/1h")))


def log_in(email: str, password: str = "wrong", client: Client | None = None, **headers: str):
    return (client or Client()).post(LOGIN, {"login": email, "password": password}, headers=headers)


def statuses(*answers) -> list[int]:
    return [answer.status_code for answer in answers]


def passes(time: timedelta) -> None:
    """Let time pass, for limits: what is used comes back by it."""
    Throttle.objects.update(used_until_ms=F("used_until_ms") - int(time.total_seconds() * 1000))


def test_a_burst_of_log_ins_closes_the_account_to_the_right_password_and_says_until_when(ben, dee):
    assert statuses(*(log_in("ben@example.org") for _ in range(2))) == [200, 200]
    refused = log_in(" Ben@Example.ORG ", "pass-Ben")
    assert refused.status_code == 429
    assert 1700 < int(refused["Retry-After"]) <= 1800
    page = refused.content.decode()
    assert "Error 429" in page
    assert "Try again in 30 minutes." in page
    assert log_in("dee@example.org", "pass-Dee").status_code == 302
    passes(timedelta(minutes=30))
    assert log_in("ben@example.org", "pass-Ben").status_code == 302


def test_an_account_that_is_not_there_is_refused_like_one_that_is(ben):
    known, unknown = ([log_in(f"{name}@example.org") for _ in range(3)][-1] for name in ("ben", "zoe"))
    assert statuses(known, unknown) == [429, 429]


def test_log_ins_that_succeed_close_no_account(ben, settings):
    settings.LIMITS = {**settings.LIMITS, "log_in": (Limit.read("2/1h"), Limit.read("100/1h"))}
    assert statuses(*(log_in("ben@example.org", "pass-Ben") for _ in range(5))) == [302] * 5


def test_many_log_ins_from_one_address_are_refused_whoever_they_are_for(ben):
    answers = [log_in(f"nobody{number}@example.org") for number in range(5)]
    assert statuses(*answers) == [200, 200, 200, 200, 429]
    assert log_in("ben@example.org", "pass-Ben").status_code == 429


def test_what_a_client_claims_about_its_address_changes_nothing(db):
    answers = [log_in(f"nobody{n}@example.org", **{"x-forwarded-for": f"203.0.113.{n}"}) for n in range(5)]
    assert answers[-1].status_code == 429


def test_behind_a_counted_proxy_the_address_it_saw_counts_and_no_other(db, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    forwarded = [f"198.51.100.{n}, 203.0.113.9" for n in range(5)]
    answers = [log_in(f"nobody{n}@example.org", **{"x-forwarded-for": forwarded[n]}) for n in range(5)]
    assert answers[-1].status_code == 429
    assert log_in("zoe@example.org", **{"x-forwarded-for": "203.0.113.10"}).status_code == 200


def test_the_addresses_of_one_subscriber_count_as_one(db, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    answers = [log_in(f"nobody{n}@example.org", **{"x-forwarded-for": f"2001:db8::{n}:1"}) for n in range(5)]
    assert answers[-1].status_code == 429
    assert log_in("zoe@example.org", **{"x-forwarded-for": "2001:db8:0:1::1"}).status_code == 200


def test_resets_and_sign_ups_of_one_address_end_and_no_further_mail_is_sent(ben, settings):
    settings.ALLOW_SIGNUP = True
    assert statuses(*(Client().post(RESET, {"email": "ben@example.org"}) for _ in range(3))) == [302, 302, 429]
    assert len(mail.outbox) == 2
    sent = {"name": "Eve", "email": "eve@example.org", "password1": "short", "password2": "short"}
    assert statuses(*(Client().post(SIGN_UP, sent) for _ in range(3))) == [200, 200, 429]


def test_pages_that_are_only_read_are_never_refused(ben, as_user):
    client = as_user(ben)
    assert statuses(*(client.get("/exercises/") for _ in range(6))) == [200] * 6
    assert statuses(*(Client().get(LOGIN) for _ in range(6))) == [200] * 6


def test_what_the_api_reads_and_signs_is_limited_too_and_writes_no_row(ben, dee, classroom, as_user):
    sender = Uploader(as_user(ben), classroom, b"a part")
    sender.open()
    rows = Throttle.objects.count()
    asked = [sender.sign(1), sender.client.get(ME), sender.sign(1), sender.client.get(ME)]
    assert statuses(*asked) == [200, 200, 429, 429]
    assert asked[2]["Content-Type"] == "application/problem+json"
    assert 1700 < int(asked[2]["Retry-After"]) <= 1800
    assert statuses(*(as_user(dee).get(ME) for _ in range(3))) == [200, 200, 429]
    assert Client().get(ME).status_code == 429  # the address, by now
    assert Throttle.objects.count() == rows


@pytest.mark.one_stack("development", why="parts of an upload to S3 do not come here")
def test_a_part_that_was_signed_is_always_taken(ben, classroom, as_user, local_store):
    sender = Uploader(as_user(ben), classroom, b"a part")
    sender.open()
    link = sender.sign(1).json()["url"]
    taken = [Client().put(link, b"a part", content_type="application/octet-stream") for _ in range(6)]
    assert statuses(*taken) == [200] * 6


def test_the_api_answers_a_problem_that_says_when(ben, dee, as_user):
    client = as_user(ben)
    address = f"{UPLOADS}{uuid4()}/"
    answers = [client.delete(address) for _ in range(3)]
    assert statuses(*answers) == [404, 404, 429]
    assert answers[-1]["Content-Type"] == "application/problem+json"
    assert 1700 < int(answers[-1]["Retry-After"]) <= 1800
    assert as_user(dee).delete(address).status_code == 404


def test_uploads_and_comments_are_refused_before_anything_is_kept(ben, classroom, exercise, clip, as_user):
    client = as_user(ben)
    fields = {"file_name": "a.mp4", "mime_type": "video/mp4", "size_bytes": 1000, "classroom": str(classroom.pk)}
    opened = [
        client.post(UPLOADS, {**fields, "client_token": f"token-000{n}"}, content_type="application/json")
        for n in range(2)
    ]
    assert statuses(*opened) == [201, 201]
    refused = client.post("/core/api/upload-video/", {"name": "A", "video": SimpleUploadedFile("a.mp4", b"0" * 99)})
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert int(refused["Retry-After"]) > 1
    assert Upload.objects.filter(owner=ben).count() == 2
    url = f"/videos/{exercise.reference_id}/comments/"
    assert statuses(*(client.post(url, {"text": f"Elbow {n}"}) for n in range(3))) == [302, 302, 429]
    assert Comment.objects.count() == 2


def test_without_any_cache_the_limits_hold_all_the_same(ben, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert statuses(*(log_in("ben@example.org") for _ in range(3)))[-1] == 429


def test_every_limited_view_exists_and_every_limit_is_of_some(settings):
    assert settings.THROTTLED.keys() | settings.UNTHROTTLED | settings.SIGNING <= set(all_views())
    assert set(settings.THROTTLED.values()) | {"api", "api_reads"} == settings.LIMITS.keys()


def all_views(resolver=None, prefix: str = ""):
    """Yield the name of every view."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLPattern):
            yield f"{prefix}{found.name}"
        else:
            yield from all_views(found, f"{prefix}{found.namespace}:" if found.namespace else prefix)
