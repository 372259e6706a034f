"""Health is answered before Django, by five keys, and by nothing that can be down."""

import json
import time
from io import BytesIO
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from core.health import HealthAnswer, health_first


def unreachable(environ, start_response):
    raise AssertionError("the request went past the health answer")


def elsewhere(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "9")])
    return [b"elsewhere"]


def ask(path="/core/health/", method="GET", application=unreachable, environment="staging", **environ):
    """Return (status line, headers, body) of one request to the wrapped application, checked as WSGI."""
    answer = {}

    def start_response(status, headers, exc_info=None):
        answer.update(status=status, headers=dict(headers))

    given = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": BytesIO()}
    environ = given | {"QUERY_STRING": ""} | environ
    setup_testing_defaults(environ)
    health = HealthAnswer(version="1.0.0", environment=environment)
    parts = validator(health_first(application, health))(environ, start_response)
    body = b"".join(parts)
    parts.close()
    return answer["status"], answer["headers"], body


def test_the_answer_has_exactly_the_five_keys_of_the_contract():
    before = time.time()
    status, headers, body = ask()
    answer = json.loads(body)

    assert status == "200 OK"
    assert list(answer) == ["status", "timestamp", "version", "environment", "response_time_ms"]
    assert answer["status"] == "healthy"
    assert answer["version"] == "1.0.0"
    assert answer["environment"] == "staging"
    assert before <= answer["timestamp"] <= time.time()
    assert 0 <= answer["response_time_ms"] < 100
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["Content-Length"]) == len(body)


def test_an_environment_with_quotes_in_it_stays_json():
    assert json.loads(ask(environment='a "b" \\ {c}')[2])["environment"] == 'a "b" \\ {c}'


def test_head_has_the_headers_of_get_and_no_body():
    status, headers, body = ask(method="HEAD")
    assert (status, body) == ("200 OK", b"")
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_told_which_are_allowed(method):
    status, headers, body = ask(method=method)
    assert status == "405 Method Not Allowed"
    assert headers["Allow"] == "GET, HEAD"
    assert body == b""


def test_neither_a_foreign_host_nor_a_query_changes_the_answer():
    assert ask(HTTP_HOST="evil.example")[0] == "200 OK"
    assert ask(HTTP_HOST="")[0] == "200 OK"
    assert ask(HTTP_X_FORWARDED_PROTO="http", QUERY_STRING="verbose=1")[0] == "200 OK"


@pytest.mark.parametrize("path", ["/", "/core/health", "/core/health/x", "/core/ready/", "//core/health/"])
def test_every_other_path_goes_to_the_site(path):
    assert ask(path, application=elsewhere)[2] == b"elsewhere"
