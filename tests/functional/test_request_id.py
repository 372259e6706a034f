"""Every request has an id, in its answer and in its log lines, and leaves one access line."""

import json
import logging
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.utils.functional import SimpleLazyObject

from core.middleware import RequestIdMiddleware

NOWHERE = "/no/such/page/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_lines(capfd):
    """Return a function that gives every line logged since it was last called, as objects."""

    def lines():
        for handler in logging.getLogger().handlers:
            handler.flush()
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    lines()
    return lines


def served(lines):
    return [line for line in lines if line["message"] == "Request served"]


def test_every_answer_carries_an_id_of_its_own(client):
    first, second = client.get(NOWHERE), client.get(NOWHERE)
    assert re.fullmatch("[0-9a-f]{32}", first.headers["X-Request-ID"])
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.parametrize("given", ["a", "A-1_b.c", "9" * 64])
def test_a_plain_id_of_the_caller_is_kept(client, given):
    assert client.get(NOWHERE, headers={"x-request-id": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "9" * 65, "a b", 'a"}', "a\n", "a\r\nX: y", "é", "٣"])
def test_any_other_id_is_replaced(client, given):
    answered = client.get(NOWHERE, headers={"x-request-id": given}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_a_request_leaves_one_line_without_its_query(client, log_lines):
    client.get(NOWHERE, {"token": "s3cret"}, headers={"x-request-id": "r1"})

    lines = log_lines()
    (line,) = served(lines)
    assert line["level"] == "INFO"
    assert line["request_id"] == "r1"
    assert (line["method"], line["path"], line["status"]) == ("GET", NOWHERE, 404)
    assert line["duration_ms"] > 0
    assert "user_id" not in line
    assert "s3cret" not in json.dumps(lines)


def test_the_lines_of_one_request_share_its_id(client, log_lines):
    client.get(NOWHERE, headers={"x-request-id": "r1"})
    lines = log_lines()
    assert {line["logger"] for line in lines} >= {"core.access", "django.request"}
    assert {line["request_id"] for line in lines} == {"r1"}


@pytest.mark.parametrize("path", ["/core/health/", "/core/ready/", "/static/css/base.css"])
def test_probes_and_static_files_leave_no_line(client, log_lines, path):
    response = client.get(path)
    assert response.headers["X-Request-ID"]
    assert served(log_lines()) == []


def test_a_foreign_host_is_refused_except_for_probes(client):
    assert client.get("/core/health/", headers={"host": "10.0.0.7"}).status_code == 200
    assert client.get(NOWHERE, headers={"host": "evil.example"}).status_code == 400


def test_health_inside_django_is_the_answer_of_the_wsgi_entry(client):
    response = client.get("/core/health/")
    assert list(response.json()) == ["status", "timestamp", "version", "environment", "response_time_ms"]
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    refused = client.post("/core/health/")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")


class Person:
    pk = 7


@pytest.mark.parametrize(("user", "shown"), [(Person(), "7"), (AnonymousUser(), None)])
def test_a_user_who_was_looked_up_is_in_the_line(rf, log_lines, user, shown):
    def look_up(request):
        request.user = SimpleLazyObject(lambda: user)
        assert request.user.pk == user.pk
        return HttpResponse()

    RequestIdMiddleware(look_up)(rf.get("/a/"))
    (line,) = served(log_lines())
    assert line.get("user_id") == shown


def test_logging_never_causes_the_look_up(rf, log_lines):
    def do_not_look_up(request):
        request.user = SimpleLazyObject(pytest.fail)
        return HttpResponse()

    RequestIdMiddleware(do_not_look_up)(rf.get("/a/"))
    (line,) = served(log_lines())
    assert "user_id" not in line


def test_nothing_of_a_request_stays_for_lines_logged_after_it(client, log_lines):
    client.get(NOWHERE)
    log_lines()
    logging.getLogger("core").warning("Later")
    assert "request_id" not in log_lines()[0]
