"""Who may do what: every route of ours, by every kind of person, and CSRF on all of them.

# Note [The access table]
A row is a route, the object it is asked for, and what GET and POST answer to, in this order, nobody, Cyd (in no
class), Dee (a learner of the class), Ben (the learner whose work it is), Ada (the instructor), and Sam (staff, in no
class). `in` is a redirect to the log-in page, `302` one to anywhere else. One column is one test; every request of it
runs in a savepoint that is rolled back, so each row meets the same state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import Membership
from comments.services import write_comment
from core.models import ProcessingJob, Upload
from core.services.rendering import run_job
from core.services.storage import signed_media_token
from core.storage.keys import new_key
from tests import factories
from tests.functional.playing import played

PEOPLE = ["nobody", "cyd", "dee", "ben", "ada", "staff"]
ONLY_POST_ANYBODY = "405 405 405 405 405 405"
ONLY_GET = "in 405 405 405 405 405"
ONLY_POST = ONLY_GET

# What a form is sent; "video" stands for a fresh copy of the clip.
VIDEO = {"video": "video"}
EXERCISE = {"name": "Other", "description": "", "review_mode": "private"}
NEW_EXERCISE = {**EXERCISE, **VIDEO, "classroom": "classroom"}
UPLOAD = {**VIDEO, "name": "Try", "classroom": "classroom"}
PERSON = {"name": "New name", "time_zone": "Europe/Paris", "language": "en"}
MEMBER = {"email": "eve@example.org", "role": "learner"}
LEARNER, PASSED, WORDS = {"role": "learner"}, {"verdict": "passed"}, {"text": "Elbow higher"}

# Who sees what, and who changes what, in the six columns.
SEE_MINE = "in 200 200 200 200 200"
SEE_CLASS, CHANGE_CLASS = "in 404 200 200 200 200", "in 404 403 403 302 302"
SEE_DRAFT, CHANGE_DRAFT = "in 404 404 404 200 200", "in 404 404 404 302 302"
SEE_TO_CHANGE = "in 404 403 403 200 200"
SEE_PRIVATE, SEE_OWN_DRAFT = "in 404 404 200 200 200", "in 404 404 200 404 200"

# (route, object, GET, body of POST, POST); the objects are made by `stage` below.
TABLE: list[tuple[str, str, str, dict[str, str], str]] = [
    ("home", "", SEE_MINE, {}, ONLY_GET),
    ("favicon", "", "302 302 302 302 302 302", {}, "302 302 302 302 302 302"),
    ("core:health", "", "200 200 200 200 200 200", {}, ONLY_POST_ANYBODY),
    ("core:ready", "", "200 200 200 200 200 200", {}, ONLY_POST_ANYBODY),
    ("core:metrics", "", "404 404 404 404 404 404", {}, ONLY_POST_ANYBODY),  # METRICS_TOKEN is not set
    # A class is a field of the form, so one that is not one's own is a 422, like one that does not exist.
    ("core:upload_video", "", ONLY_POST_ANYBODY, UPLOAD, "401 422 201 201 201 422"),
    # The table's forms are no JSON: 415 says that a person got as far as the body.
    ("core:uploads", "", ONLY_POST_ANYBODY, {}, "401 415 415 415 415 415"),
    ("core:upload", "upload", "401 404 404 200 404 404", {}, ONLY_POST_ANYBODY),
    ("core:upload_parts", "upload", ONLY_POST_ANYBODY, {}, "401 404 404 415 404 404"),
    ("core:upload_part", "upload_part", ONLY_POST_ANYBODY, {}, "401 404 404 415 404 404"),
    ("core:upload_completion", "upload", ONLY_POST_ANYBODY, {}, "401 404 404 415 404 404"),
    ("core:upload_part_bytes", "upload_part", ONLY_POST_ANYBODY, {}, ONLY_POST_ANYBODY),  # PUT, by its signature
    ("core:signed_media", "token", "200 200 200 200 200 200", {}, ONLY_POST_ANYBODY),
    ("core:video_stream", "published_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_stream", "unpublished_video", SEE_DRAFT, {}, ONLY_GET),
    ("core:video_stream", "private_video", SEE_PRIVATE, {}, ONLY_GET),
    ("core:video_stream", "shared_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_stream", "drafted_video", SEE_OWN_DRAFT, {}, ONLY_GET),
    ("core:video_poster", "published_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_poster", "unpublished_video", SEE_DRAFT, {}, ONLY_GET),
    ("core:video_poster", "private_video", SEE_PRIVATE, {}, ONLY_GET),
    ("core:video_poster", "shared_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_poster", "drafted_video", SEE_OWN_DRAFT, {}, ONLY_GET),
    ("core:video_thumbnails", "published_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_thumbnails", "private_video", SEE_PRIVATE, {}, ONLY_GET),
    ("core:video_thumbnails_sprite", "published_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_thumbnails_sprite", "private_video", SEE_PRIVATE, {}, ONLY_GET),
    ("core:video_processing", "published_video", SEE_CLASS, {}, ONLY_GET),
    ("core:video_processing", "private_video", SEE_PRIVATE, {}, ONLY_GET),
    ("core:video_processing_retry", "published_video", ONLY_POST, {}, CHANGE_CLASS),
    ("core:video_processing_retry", "private_video", ONLY_POST, {}, "in 404 404 302 302 302"),
    ("accounts:profile", "", SEE_MINE, PERSON, "in 302 302 302 302 302"),
    ("accounts:me", "", "401 200 200 200 200 200", {}, ONLY_POST_ANYBODY),
    ("accounts:classes", "", SEE_MINE, {}, ONLY_GET),
    ("accounts:classroom", "classroom", SEE_CLASS, {}, ONLY_GET),
    ("accounts:member_add", "classroom", ONLY_POST, MEMBER, CHANGE_CLASS),
    ("accounts:member_role", "membership", ONLY_POST, LEARNER, CHANGE_CLASS),
    ("accounts:member_remove", "membership", SEE_TO_CHANGE, {}, CHANGE_CLASS),
    ("exercises:list", "", SEE_MINE, {}, ONLY_GET),
    ("exercises:queue", "", SEE_MINE, {}, ONLY_GET),
    ("exercises:create", "", "in 404 403 403 200 200", NEW_EXERCISE, CHANGE_CLASS),
    ("exercises:detail", "published", SEE_CLASS, {}, ONLY_GET),
    ("exercises:detail", "unpublished", SEE_DRAFT, {}, ONLY_GET),
    ("exercises:edit", "published", SEE_TO_CHANGE, EXERCISE, CHANGE_CLASS),
    ("exercises:edit", "unpublished", SEE_DRAFT, EXERCISE, CHANGE_DRAFT),
    ("exercises:replace_video", "published", SEE_TO_CHANGE, VIDEO, CHANGE_CLASS),
    ("exercises:replace_video", "unpublished", SEE_DRAFT, VIDEO, CHANGE_DRAFT),
    ("exercises:publish", "published", ONLY_POST, {}, CHANGE_CLASS),
    ("exercises:publish", "unpublished", ONLY_POST, {}, CHANGE_DRAFT),
    ("exercises:unpublish", "published", ONLY_POST, {}, CHANGE_CLASS),
    ("exercises:unpublish", "unpublished", ONLY_POST, {}, CHANGE_DRAFT),
    ("exercises:delete", "published", SEE_TO_CHANGE, {}, CHANGE_CLASS),
    ("exercises:delete", "unpublished", SEE_DRAFT, {}, CHANGE_DRAFT),
    ("exercises:attempt_create", "begun", "in 404 302 302 302 302", VIDEO, "in 404 302 302 403 403"),
    ("exercises:attempt_create", "unpublished", "in 404 404 404 302 302", VIDEO, "in 404 404 404 403 403"),
    ("exercises:attempt", "private", SEE_PRIVATE, {}, ONLY_GET),
    ("exercises:attempt", "shared", SEE_CLASS, {}, ONLY_GET),
    ("exercises:attempt", "drafted", SEE_OWN_DRAFT, {}, ONLY_GET),
    ("exercises:attempt_submit", "drafted", ONLY_POST, {}, "in 404 404 302 404 403"),
    ("exercises:attempt_submit", "shared", ONLY_POST, {}, "in 404 403 302 403 403"),
    ("exercises:attempt_withdraw", "private", ONLY_POST, {}, "in 404 404 302 403 403"),
    ("exercises:attempt_withdraw", "shared", ONLY_POST, {}, "in 404 403 302 403 403"),
    ("exercises:attempt_delete", "drafted", ONLY_POST, {}, "in 404 404 302 404 403"),
    ("exercises:attempt_delete", "shared", ONLY_POST, {}, "in 404 403 302 403 403"),
    ("exercises:attempt_review", "private", ONLY_POST, PASSED, "in 404 404 403 302 403"),
    ("exercises:attempt_review", "shared", ONLY_POST, PASSED, "in 404 403 403 302 403"),
    ("exercises:attempt_review", "drafted", ONLY_POST, PASSED, "in 404 404 403 302 403"),  # told, not shown
    ("comments:create", "published_video", SEE_CLASS, WORDS, "in 404 302 302 302 302"),
    ("comments:create", "private_video", SEE_PRIVATE, WORDS, "in 404 404 302 302 302"),
    ("comments:create", "drafted_video", SEE_OWN_DRAFT, WORDS, "in 404 404 302 404 302"),
    ("comments:reply", "comment", SEE_CLASS, {}, ONLY_GET),
    ("comments:reply", "private_comment", SEE_PRIVATE, {}, ONLY_GET),
    ("comments:edit", "comment", "in 404 403 200 403 403", WORDS, "in 404 403 302 403 403"),
    ("comments:edit", "private_comment", "in 404 404 200 403 403", WORDS, "in 404 404 302 403 403"),
    ("comments:delete", "comment", "in 404 403 200 200 200", {}, "in 404 403 302 302 302"),
    ("comments:delete", "private_comment", "in 404 404 200 200 200", {}, "in 404 404 302 302 302"),
]

# Nothing to forge, or no method of theirs.
ANY_METHOD_WITHOUT_TOKEN = {"core:health", "core:ready", "core:metrics", "core:upload_part_bytes", "core:upload"}


@dataclass
class Row:
    """One request of one person, and what it must answer."""

    key: tuple[str, str, str]
    path: str
    body: dict[str, Any]
    expected: str


@pytest.fixture
def stage(ada, ben, dee, cyd, staff, classroom, exercise, clip) -> SimpleNamespace:
    """Exercises published and not; Ben's attempts at them, private, shared, and drafted; his comments."""
    factories.person("Eve")
    unpublished = factories.exercise(classroom, ada, clip, name="Later")
    peers = factories.exercise(classroom, ada, clip, name="Peers", review_mode="peers", published=True)
    begun = factories.exercise(classroom, ada, clip, name="Begun", published=True)
    private = factories.attempt(exercise, ben, clip, submitted=True)
    shared = factories.attempt(peers, ben, clip, submitted=True)
    drafted = factories.attempt(begun, ben, clip)
    now = timezone.now()
    comment = write_comment(target=exercise.reference, author=ben, text="How?", now=now)
    private_comment = write_comment(target=private.video, author=ben, text="Here?", now=now)
    for video in (exercise.reference, private.video):
        run_job(job_id=video.jobs.get(kind="thumbnails").pk)
        ProcessingJob.objects.create(video=video, kind="web", state="failed", queued_at=now, created_at=now)
    objects = {
        "published": exercise, "unpublished": unpublished, "begun": begun,
        "private": private, "shared": shared, "drafted": drafted,
        "published_video": exercise.reference, "unpublished_video": unpublished.reference,
        "private_video": private.video, "shared_video": shared.video, "drafted_video": drafted.video,
        "comment": comment, "private_comment": private_comment, "classroom": classroom,
        "upload": Upload.objects.create(
            owner=ben, classroom=classroom, client_token="ben-1", storage_path=new_key(now), backend="local",
            part_size_bytes=1, created_at=now, last_activity_at=now,
        ),
        "membership": Membership.objects.get(user=dee),
    }  # fmt: skip
    keys = {name: [str(made.pk)] for name, made in objects.items()}
    keys |= {"": [], "token": [signed_media_token(exercise.reference.storage_path, 60)]}
    keys["upload_part"] = [*keys["upload"], "1"]
    people = {"nobody": None, "cyd": cyd, "dee": dee, "ben": ben, "ada": ada, "staff": staff}
    return SimpleNamespace(keys=keys, people=people, clip=clip)


def rows_of(stage: SimpleNamespace, person: str) -> Iterator[Row]:
    column = PEOPLE.index(person)
    for route, target, on_get, body, on_post in TABLE:
        path = reverse(route, args=stage.keys[target])
        yield Row((route, target, "GET"), path, {}, on_get.split()[column])
        yield Row((route, target, "POST"), path, body, on_post.split()[column])


def filled(body: dict[str, str], stage: SimpleNamespace) -> dict[str, Any]:
    fresh = {"video": factories.upload_file(stage.clip), "classroom": stage.keys["classroom"][0]}
    return {name: fresh.get(value, value) for name, value in body.items()}


def answer_to(client: Client, row: Row, stage: SimpleNamespace) -> str:
    """Return what the request answers, and undo what it did."""
    with transaction.atomic():
        ask = client.get if row.key[2] == "GET" else client.post
        answer = ask(row.path, filled(row.body, stage))
        status = played(answer).status_code
        transaction.set_rollback(True)
    return "in" if answer.get("Location", "").startswith("/accounts/login/") else str(status)


def routes(resolver: Any = None, namespace: str = "") -> Iterator[str]:
    """Return the names of every route but the admin site's; one without a name fails here."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if not hasattr(pattern, "url_patterns"):
            assert pattern.name, f"{pattern.pattern} has no name"
            yield namespace + pattern.name
        elif pattern.namespace != "admin":
            yield from routes(pattern, namespace + f"{pattern.namespace}:" * bool(pattern.namespace))


@pytest.mark.parametrize("person", PEOPLE)
def test_every_route_answers_each_person_as_the_table_says(person, stage, as_user):
    expected, found = {}, {}
    for row in rows_of(stage, person):
        expected[row.key] = row.expected
        found[row.key] = answer_to(as_user(stage.people[person]), row, stage)
    assert found == expected


def test_the_table_has_every_route_of_ours():
    ours = {name for name in routes() if not name.startswith("account_")}
    assert {row[0] for row in TABLE} == ours


def test_the_table_has_no_two_rows_for_one_thing():
    assert len({row[:2] for row in TABLE}) == len(TABLE)


def test_every_unsafe_request_without_a_token_is_403(stage):
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.people["ada"], backend="allauth.account.auth_backends.AuthenticationBackend")
    targets = {row[0]: stage.keys[row[1]] for row in TABLE}
    targets["account_confirm_email"] = ["some-key"]
    targets["account_reset_password_from_key"] = ["1", "some-key"]
    answers = {}
    for name in routes():
        body = {"video": factories.upload_file(stage.clip)}
        answers[name] = client.post(reverse(name, args=targets.get(name, [])), body).status_code
    assert {name for name, status in answers.items() if status != 403} == ANY_METHOD_WITHOUT_TOKEN
    assert get_user_model().objects.count() == len(PEOPLE)
