"""gunicorn, started as the runbook types it, finishes what it began and refuses what it cannot run."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "practika_project.wsgi:application"]
BODY = b"login=ada@example.com&password=wrong"
SLOW_POST = (
    "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    "Expect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    f"Content-Length: {len(BODY)}\r\nCookie: csrftoken={'a' * 32}\r\n\r\n"
)


# What chooses the stack of these tests is not for the sites that they start.
OURS = ("DJANGO_", "DATABASE_", "REDIS_", "USE_S3", "AWS_")


def environment(**variables):
    """Return the machine's variables without ours, and these; what a command prints comes in one piece at its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {"PYTHONUNBUFFERED": ""} | variables  # else a log line may stand between two printed words


@contextlib.contextmanager
def gunicorn(folder, **variables):
    """Start it on a free port; yield the process, the port, and an iterator over its log lines."""
    usual = {"DJANGO_DB_NAME": str(folder / "db.sqlite3"), "DJANGO_MEDIA_ROOT": str(folder / "media")}
    settings = environment(**usual | {"WEB_CONCURRENCY": "1"} | variables)
    process = subprocess.Popen(
        [*GUNICORN, "--bind", "127.0.0.1:0"], cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True
    )
    lines = map(json.loads, process.stdout)
    try:
        listening = next(line for line in lines if line["message"].startswith("Listening at"))
        port = int(listening["message"].split(":")[-1].split()[0])
        assert next(line for line in lines if line["message"] == "Application started")
        yield process, port, lines
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def whole_answer(client):
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_sigterm_lets_a_running_request_finish_and_ends_with_0(tmp_path):
    with (
        gunicorn(tmp_path) as (process, port, lines),
        socket.create_connection(("127.0.0.1", port), timeout=30) as client,
    ):
        client.sendall(SLOW_POST.encode())
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # a thread has begun with it
        process.send_signal(signal.SIGTERM)
        assert next(line for line in lines if line["message"] == "Handling signal: term")
        client.sendall(BODY)
        assert whole_answer(client).startswith(b"HTTP/1.1 ")
        assert process.wait(30) == 0


def test_every_line_of_the_server_is_json_with_the_fields_of_ours(tmp_path):
    with gunicorn(tmp_path) as (process, _port, lines):
        process.send_signal(signal.SIGTERM)
        for line in lines:
            assert {"timestamp", "level", "logger", "message"} <= line.keys()
        assert process.wait(30) == 0


def test_the_server_answers_health_to_any_host_without_a_line(tmp_path):
    with gunicorn(tmp_path) as (process, port, lines):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET /core/health/ HTTP/1.1\r\nHost: 10.0.0.7\r\nConnection: close\r\n\r\n")
            head, body = whole_answer(client).split(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert json.loads(body)["status"] == "healthy"
        process.send_signal(signal.SIGTERM)
        assert "Request served" not in [line["message"] for line in lines]


@pytest.mark.parametrize("command", [GUNICORN, [sys.executable, "manage.py", "check"]])
def test_settings_that_cannot_be_used_stop_the_start_with_their_sentences_alone(command):
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(DJANGO_ENVIRONMENT="production", USE_S3="ture", DJANGO_DEBUG="maybe"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "USE_S3 is 'ture', which is neither true nor false. Write True or False.\n" in ended.stderr
    assert "DJANGO_DEBUG is 'maybe'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_production_without_collected_static_files_stops_the_start_with_what_to_type(tmp_path):
    variables = environment(
        DJANGO_ENVIRONMENT="production",
        DJANGO_SECRET_KEY="k9Zr3vQmX7pLw2Ns8TyB4hJd6FgCeRuA1oViKbPqYtMxGzWnSfDlHj50",
        DJANGO_ALLOWED_HOSTS="practika.example.org",
        DJANGO_ALLOW_SQLITE="True",
        DJANGO_STATIC_ROOT=str(tmp_path / "nothing"),
    )
    ended = subprocess.run(
        [*GUNICORN, "--bind", "127.0.0.1:0"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert f"{tmp_path}/nothing/staticfiles.json cannot be read. Run python manage.py collectstatic" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Listening at" not in ended.stdout
