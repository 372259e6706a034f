"""Maintenance mode: visitors read when to come back, staff work on, nothing that is being sent is lost."""

import http.client
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent, Upload
from core.operations import maintenance as mode
from core.operations.maintenance import RecentState, check_maintenance, flag_path, turn_off, turn_on
from core.services.components import NotUsable
from core.storage.options import S3_STORAGE
from tests.functional.test_server import gunicorn
from tests.functional.uploading import Uploader

MESSAGE = "Back at 14:00. Your videos are safe."


def run(*arguments):
    """Return the exit code and what the command printed."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("maintenance", *arguments, stdout=out, stderr=err)
    return ended.value.code, out.getvalue() + err.getvalue()


@pytest.fixture
def closed(db):
    turn_on(message=MESSAGE, now=timezone.now())


@pytest.fixture
def in_s3(db, settings, monkeypatch):
    settings.USE_S3 = True
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": S3_STORAGE, "OPTIONS": {}}}
    monkeypatch.setattr(mode, "RECENT", RecentState(mode._newest_event))


def test_a_page_is_503_with_the_operators_sentence_and_when_to_come_back(closed, client):
    answer = client.get("/")
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "30", "no-store")
    assert MESSAGE in answer.content.decode()
    assert answer["X-Request-ID"] in answer.content.decode()
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_the_sentence_cannot_carry_markup(db, client):
    turn_on(message="<script>alert(1)</script>", now=timezone.now())
    assert "<script>" not in client.get("/").content.decode()


def test_without_a_sentence_there_is_one_of_ours(db, client):
    turn_on(message="", now=timezone.now())
    assert "being looked after" in client.get("/").content.decode()


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_the_api_answers_a_problem(closed, client, method):
    answer = getattr(client, method)("/core/api/uploads/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert (answer["Retry-After"], answer.json()["detail"]) == ("30", MESSAGE)


def test_learners_are_refused_and_staff_pass(closed, ben, staff, as_user):
    assert as_user(ben).get("/").status_code == 503
    assert as_user(staff).get("/").status_code == 200
    assert as_user(staff).get("/admin/").status_code == 200


def test_staff_can_log_in_meanwhile_and_learners_then_read_the_sentence(closed, ben, staff):
    for person, status in ((staff, 200), (ben, 503)):
        client = Client()
        assert client.get("/accounts/login/").status_code == 200
        answer = client.post("/accounts/login/", {"login": person.email, "password": f"pass-{person.name}"})
        assert answer.status_code == 302
        assert client.get("/").status_code == status
        assert client.post("/accounts/logout/").status_code == 302


def test_health_stays_200_and_ready_still_takes_traffic(closed, client):
    assert client.get("/core/health/").status_code == 200
    assert client.get("/core/ready/").json()["status"] != "unready"


def test_readiness_can_say_so(db):
    check_maintenance()
    turn_on(message="", now=timezone.now())
    with pytest.raises(NotUsable, match="maintenance"):
        check_maintenance()


def test_refusals_that_are_meant_log_no_error(closed, client, caplog):
    client.get("/")
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


@pytest.mark.one_stack("development", why="its parts go to the site itself")
def test_a_part_is_refused_with_503_and_the_upload_goes_on_where_it_was(ben, classroom, as_user, local_store):
    content = bytes(range(256)) * (16 * 4096) + b"the rest"
    sender = Uploader(as_user(ben), classroom, content)
    sender.open()
    assert sender.send(1).status_code == 200
    signed = sender.sign(2).json()

    turn_on(message=MESSAGE, now=timezone.now())
    refused = sender.put(signed, b"the rest")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert refused.json()["detail"] == MESSAGE
    assert sender.sign(2).status_code == 503

    assert turn_off(now=timezone.now()) is True
    assert sender.put(signed, b"the rest").status_code == 200
    assert [part["number"] for part in as_user(ben).get(sender.upload["url"]).json()["parts"]] == [1, 2]
    assert Upload.objects.count() == 1


@pytest.mark.one_stack("development", why="is about the flag in the local folder")
def test_an_open_site_asks_no_query_for_it(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert mode.maintenance() is None


@pytest.mark.one_stack("development", why="the flag in the local folder needs no database")
def test_a_session_that_cannot_be_looked_up_reads_the_sentence_too(closed, client, settings):
    client.cookies["sessionid"] = "a" * 32  # a shorter one is never looked up

    def unreachable(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(unreachable):
        answer = client.get("/")
    assert answer.status_code == 503
    assert MESSAGE in answer.content.decode()


def test_the_command_turns_it_on_says_so_and_turns_it_off(db):
    assert run("status") == (0, "off\n")
    code, said = run("on", "--message", MESSAGE)
    assert code == 0
    assert MESSAGE in said
    code, said = run("status", "--json")
    assert code == 1
    assert {"maintenance": "on", "message": MESSAGE}.items() <= json.loads(said).items()
    assert run("off") == (0, "off\n")
    assert run("off") == (0, "off\n")
    assert run("status") == (0, "off\n")


def test_both_changes_stand_in_the_audit_trail(db):
    run("on", "--message", MESSAGE)
    run("off")
    run("off")
    found = AuditEvent.objects.filter(object_type="maintenance").order_by("at").values_list("action", "detail")
    assert list(found) == [("maintenance.on", {"message": MESSAGE}), ("maintenance.off", {"message": ""})]


@pytest.mark.one_stack("development", why="is about the flag in the local folder")
def test_a_flag_made_by_hand_counts(db, client):
    flag_path().parent.mkdir(parents=True)
    flag_path().touch()
    assert client.get("/").status_code == 503


@pytest.mark.one_stack("development", why="is about the flag in the local folder")
def test_a_folder_that_cannot_be_written_is_2(db, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    code, said = run("on")
    assert code == 2
    assert "cannot be written" in said


@pytest.mark.one_stack("development", why="is about the flag in the local folder")
def test_with_local_storage_it_needs_no_database(db, client):
    def unreachable(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(unreachable):
        assert run("on", "--message", MESSAGE)[0] == 0
        assert client.get("/").status_code == 503


def test_with_s3_the_database_says_it_to_every_node(in_s3, client):
    assert client.get("/accounts/login/").status_code == 200
    run("on", "--message", MESSAGE)
    assert MESSAGE in client.get("/").content.decode()
    assert not flag_path().exists()
    code, said = run("status")
    assert (code, MESSAGE in said) == (1, True)
    run("off")
    assert run("status") == (0, "off\n")
    assert client.get("/").status_code == 302


def test_with_s3_a_process_asks_once_in_five_seconds_and_keeps_what_it_knew(db, django_assert_num_queries):
    now = [0.0]
    recent = RecentState(mode._newest_event, clock=lambda: now[0])
    with django_assert_num_queries(1):
        assert [recent.get() for _ in range(9)] == [None] * 9
    AuditEvent.objects.create(at=timezone.now(), action=mode.ON, object_type=mode.SUBJECT, object_id="site")
    assert recent.get() is None
    now[0] = 5.0
    assert recent.get().message == ""

    def unreachable(*_):
        raise OperationalError("gone")

    now[0] = 10.0
    with connection.execute_wrapper(unreachable):
        assert recent.get() is not None


def test_with_s3_and_no_database_the_command_is_2(in_s3):
    def unreachable(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(unreachable):
        assert run("status")[0] == run("on")[0] == 2


@pytest.mark.one_stack("development", why="is about the flag in the local folder")
def test_a_running_server_closes_and_opens_with_the_next_request(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"

    def ask(path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("PUT" if "api" in path else "GET", path, body=b"x" if "api" in path else None)
        response = connection.getresponse()
        return response.status, response.read().decode()

    with gunicorn(tmp_path, DJANGO_MEDIA_ROOT=str(settings.MEDIA_ROOT)) as (_process, port, _lines):
        mode._write_flag(mode.Maintenance(MESSAGE, timezone.now()))
        status, page = ask("/")
        assert (status, MESSAGE in page) == (503, True)
        assert ask("/core/api/parts/00000000-0000-4000-8000-000000000000/1/")[0] == 503
        assert ask("/core/health/")[0] == 200
        assert ask("/static/css/error.css")[0] == 200
        mode._remove_flag()
        assert ask("/")[0] == 302
