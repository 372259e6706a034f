"""Backups by the worker: made when due, drilled, finished after a kill, and seen by readiness and metrics."""

import contextlib
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.functional.test_server import ROOT

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

# What the schedule does at `now`, and what readiness and metrics say of it then.
LOOK = """
import json
from datetime import datetime, timedelta
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from core.services.backup_schedule import keep_backups
from core.backup.folder import FolderPlace
from core.models import AuditEvent
from core.services.backup_state import SUBJECT, VERIFIED, backup_problem
from core.services.site_figures import site_figures
def look(**later):
    keep_backups(now=timezone.now() + timedelta(**later))
def said():
    figures = {s.name: s.value for f in site_figures() if f.name.startswith("practika_backup") for s in f.samples}
    print(json.dumps({"problem": backup_problem(), **figures}), flush=True)
"""


@pytest.fixture
def site(stored_site, tmp_path):
    made = stored_site.copied_to(tmp_path / "site")
    made.env["DJANGO_BACKUP_ROOT"] = str(made.backups)
    return made


def told(site, script: str, **variables: str) -> list[dict]:
    done = site.run("shell", "-v", "0", "-c", LOOK + script, **variables)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"problem"')]


@contextlib.contextmanager
def killed_if_this_fails(process):
    try:
        yield
    except BaseException:
        process.kill()
        raise


def test_the_worker_makes_a_backup_drills_it_and_readiness_and_metrics_tell(site):
    assert "No verified backup was seen yet" in told(site, "said()")[0]["problem"]
    with subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT, env=site.env | {"DJANGO_LOG_LEVEL": "INFO"}, stdout=subprocess.PIPE, text=True,
    ) as worker, killed_if_this_fails(worker):  # fmt: skip
        lines = map(json.loads, worker.stdout)
        assert next(line for line in lines if line["message"] == "Backup recorded")
        worker.send_signal(signal.SIGTERM)
    assert worker.returncode == 0
    assert len(site.manifests()) == 1
    (after,) = told(site, "look(hours=2); said()")
    assert len(site.manifests()) == 1  # the next is not due
    assert after["problem"] == ""
    assert (after["practika_backup_wanted"], after["practika_backup_failed"]) == (1, 0)
    age_s = datetime.now(UTC).timestamp() - after["practika_backup_verified_timestamp_seconds"]
    assert 0 <= age_s < 600
    assert after["practika_backup_verified_bytes"] > 100_000


def test_a_backup_whose_drill_was_cut_off_gets_it_once(site):
    site.backup()
    script = f"""
with FolderPlace(Path({str(site.backups)!r})).writing():
    look(hours=2)  # as another worker does it at this moment
said(); look(hours=2); said(); look(hours=3)
detail = {{"backup_id": "old", "size_bytes": 1, "created_at": (timezone.now() - timedelta(hours=40)).isoformat()}}
AuditEvent.objects.create(at=timezone.now(), action=VERIFIED, detail=detail, **SUBJECT)
said()
"""
    before, after, late = told(site, script, DJANGO_BACKUP_EVERY_HOURS="0")
    assert "No verified backup was seen yet" in before["problem"]
    assert before["practika_backup_failed"] == 0
    assert late["problem"] == "The newest verified backup is 40 hours old."
    assert after["problem"] == ""
    assert len(site.manifests()) == 1
    assert site.sql("SELECT count(*) FROM core_auditevent WHERE object_type = 'backup'") == [(2,)]  # ours is one


def test_a_place_that_cannot_be_used_is_told_until_it_can(site):
    site.backups.write_text("a file, where the folder should be")
    script = f"look(); look(); said(); Path({str(site.backups)!r}).unlink(); look(); said()"
    script += "; settings.BACKUP_ROOT = ''; look(); said()"
    down, up, unwanted = told(site, script, DJANGO_LOG_LEVEL="CRITICAL")
    assert "cannot be used" in down["problem"]
    assert down["practika_backup_failed"] == 1
    assert (up["problem"], up["practika_backup_failed"]) == ("", 0)
    assert (unwanted["problem"], unwanted["practika_backup_wanted"]) == ("", 0)
    actions = site.sql("SELECT action FROM core_auditevent WHERE object_type = 'backup' ORDER BY at")
    assert [action for (action,) in actions] == ["backup.failed", "backup.verified"]  # news only, not every look
