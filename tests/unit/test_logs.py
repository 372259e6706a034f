"""A log line says what the contract asks for, in its order, and shows no secret."""

import json
import logging
import logging.config
import re
import sys

import pytest

from core import logs
from core.logs import (
    CURRENT_REQUEST,
    JsonFormatter,
    RequestContext,
    RequestContextFilter,
    SimpleFormatter,
    logging_config,
)

SIGNATURE = "1tYx2Q:" + "aB3_-" * 8 + "abc"


def raised():
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        return sys.exc_info()


def record(message="Video upload completed", **extra):
    made = logging.LogRecord("core.uploads", logging.INFO, __file__, 1, message, (), None)
    made.__dict__.update(extra)
    return made


def fields_of(made):
    return json.loads(JsonFormatter().format(made))


def test_the_fields_come_in_the_order_of_the_contract():
    found = fields_of(
        record(
            "Request served",
            parts=12,
            duration_ms=1.5,
            status=200,
            path="/",
            method="GET",
            user_id="u",
            request_id="r",
            exc_info=raised(),
        )
    )
    order = "timestamp level logger message request_id user_id method path status duration_ms parts exception"
    assert " ".join(found) == order


def test_the_timestamp_is_rfc_3339_in_utc_with_milliseconds():
    assert fields_of(record(created=1_700_000_000.0129))["timestamp"] == "2023-11-14T22:13:20.012Z"


def test_a_traceback_is_one_string_inside_the_object():
    found = fields_of(record("Video upload failed", exc_info=raised()))
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert "first line" in found["exception"]


def test_a_message_cannot_forge_a_field_or_a_line():
    forged = 'x", "level": "CRITICAL"}\n{"level": "CRITICAL'
    found = fields_of(record(forged, level="INFO"))
    assert found["message"] == forged
    assert fields_of(record(timestamp="never", logger="me"))["extra_logger"] == "me"
    assert fields_of(record(timestamp="never", logger="me"))["logger"] == "core.uploads"


def test_bad_arguments_are_shown_beside_the_unfilled_message():
    found = fields_of(record("%s of %s", args=("one",)))
    assert found["message"] == "%s of %s ['one']"


def test_a_huge_field_is_shortened_in_its_middle():
    found = fields_of(record(body="<" + "x" * 10_000_000 + ">"))
    assert len(found["body"]) < 20_000
    assert (found["body"][0], found["body"][-1]) == ("<", ">")


def test_djangos_request_object_is_left_out_and_its_status_is_shown():
    found = fields_of(record("Not Found: /x", request=object(), status_code=404))
    assert "request" not in found
    assert found["status"] == 404


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"Not Found: /core/media/videos/2026/01/ab:{SIGNATURE}/", "/core/media/videos/2026/01/ab[secret]/"),
        ("https://s3.example/k?X-Amz-Signature=0a1b&X-Amz-Expires=60", "X-Amz-[secret]&X-Amz-Expires=60"),
        ("https://cdn.example/k?Expires=1&Signature=abc~-_&Key-Pair-Id=K", "[secret]&Key-Pair-Id=K"),
        ("Not Found: /accounts/password/reset/key/1-abc-def/", "/password/reset[secret]/"),
        ("cannot connect to postgresql://practika:hunter2@db/practika", "postgresql[secret]db/practika"),
    ],
)
def test_signatures_reset_keys_and_passwords_are_cut_out(line, shown):
    assert shown in fields_of(record(line))["message"]
    assert shown in fields_of(record(path=line))["path"]
    assert shown in SimpleFormatter(fmt="{message}", style="{").format(record(line))


def test_the_development_line_ends_with_fields_and_request_id():
    formatter = SimpleFormatter(fmt="{levelname} {asctime} {module} {message}", style="{")
    line = formatter.format(record("Video\nupload completed", parts=12, request_id="abc"))
    assert re.fullmatch(r"INFO \d{4}-\d\d-\d\d [\d:,]+ test_logs Video\\nupload completed parts=12 \[abc\]", line)


def test_lines_within_a_request_carry_its_fields_and_keep_their_own():
    context = RequestContext(request_id="r1", method="GET", path="/a/", user_id=lambda: None)
    token = CURRENT_REQUEST.set(context)
    try:
        made = record(path="/own/")
        assert RequestContextFilter().filter(made)
    finally:
        CURRENT_REQUEST.reset(token)
    assert (made.request_id, made.method, made.path) == ("r1", "GET", "/own/")
    assert not hasattr(made, "user_id")

    outside = record()
    RequestContextFilter().filter(outside)
    assert not hasattr(outside, "request_id")


@pytest.fixture
def loggers_restored():
    names = ["", "django", "django.server", "gunicorn.error", "gunicorn.access"]
    names += ["boto3", "botocore", "s3transfer", "urllib3"]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.usefixtures("loggers_restored")
@pytest.mark.parametrize("name", ["core.uploads", "django.request", "gunicorn.error", "exercises"])
def test_the_level_asked_for_rules_for_every_logger(name):
    logging.config.dictConfig(logging_config(level="WARNING", json_lines=True))
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


@pytest.mark.usefixtures("loggers_restored")
def test_what_doubles_our_lines_or_shows_credentials_is_silent():
    logging.config.dictConfig(logging_config(level="DEBUG", json_lines=True))
    assert not logging.getLogger("django.server").isEnabledFor(logging.ERROR)
    assert not logging.getLogger("gunicorn.access").isEnabledFor(logging.ERROR)
    assert not logging.getLogger("botocore.auth").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("core").isEnabledFor(logging.DEBUG)


@pytest.mark.usefixtures("loggers_restored")
def test_every_line_goes_to_standard_output_once(capfd):
    logging.config.dictConfig(logging_config(level="INFO", json_lines=True))
    for name in ("core.x", "django.request", "gunicorn.error"):
        logging.getLogger(name).warning("Hello")
    for handler in logging.getLogger().handlers:
        handler.flush()
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["logger"] for line in lines] == ["core.x", "django.request", "gunicorn.error"]


def test_a_record_that_cannot_even_be_shown_from_plain_parts_is_one_line_with_the_traceback(monkeypatch):
    monkeypatch.setattr(logs, "Plain", None)
    told = fields_of(record(no_number=float("nan")))
    assert (told["level"], told["message"]) == ("ERROR", "A log record could not be shown")
    assert "TypeError" in told["exception"]
