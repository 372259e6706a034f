"""One answer for all processes of a site: gunicorn's workers, a killed one, and a media worker."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.functional.metrics_read import TOKEN, samples
from tests.functional.test_server import ROOT, environment, gunicorn

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

ASKED = 12
LOGIN = {"route": "account_login", "method": "GET", "status": "200"}


def figures(port):
    request = Request(f"http://127.0.0.1:{port}/core/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
    with urlopen(request, timeout=30) as answer:
        return samples(answer.read().decode())


def value(port, name, **labels):
    return figures(port).get((name, frozenset(labels.items())), 0)


def test_all_processes_of_a_site_count_together_and_a_killed_one_takes_nothing_with_it(tmp_path):
    settings = {"DJANGO_DB_NAME": str(tmp_path / "db.sqlite3"), "DJANGO_MEDIA_ROOT": str(tmp_path / "media")}
    manage(["migrate", "--verbosity", "0"], settings)
    with gunicorn(tmp_path, WEB_CONCURRENCY="2", METRICS_TOKEN=TOKEN) as (process, port, lines):
        assert next(line for line in lines if line["message"] == "Application started")  # the second one
        for _ in range(ASKED):
            with urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=30) as answer:
                assert answer.status == 200
        assert value(port, "practika_requests_total", **LOGIN) == ASKED
        killed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        os.kill(int(killed), signal.SIGKILL)
        assert next(line for line in lines if line["message"] == "Application started")  # in its place
        assert value(port, "practika_requests_total", **LOGIN) == ASKED
        assert value(port, "practika_scheduled_runs_total", entry="reap jobs", outcome="ok") == 0
        manage(["worker", "--batch"], settings)
        assert value(port, "practika_scheduled_runs_total", entry="reap jobs", outcome="ok") == 1
    with gunicorn(tmp_path, METRICS_TOKEN=TOKEN) as (_, port, lines):
        assert value(port, "practika_requests_total", **LOGIN) == ASKED


def manage(arguments, settings):
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment(**settings), check=True, timeout=120, stdout=subprocess.DEVNULL)
