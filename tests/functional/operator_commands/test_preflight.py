"""preflight asks the machine itself what a start needs, one line each."""

import json
import subprocess
import sys
import threading

import pytest
from django.conf import settings as site_settings
from django.db import connections

from core.operations.findings import find_all
from core.storage.options import S3_STORAGE
from tests.functional.operator_commands.command import lines_of, run
from tests.functional.test_backup_postgres import server  # noqa: F401
from tests.functional.test_server import ROOT, environment
from tests.storage.conftest import s3_values


@pytest.mark.django_db(transaction=True)
def test_a_site_that_could_start_passes_the_preflight_with_a_line_for_each():
    code, printed = run("preflight")
    assert code == 0, printed
    assert list(lines_of(printed)) == [
        "settings", "secret key", "storage", "storage round trip", "database", "migrations", "cache", "queue",
        "codecs", "static files", "disk",
    ]  # fmt: skip
    assert ("s3: bucket" if site_settings.USE_S3 else f"local: {site_settings.MEDIA_ROOT}") in printed
    assert "libx264, aac" in printed


@pytest.mark.django_db(transaction=True)
def test_the_preflight_shows_the_storage_in_effect_and_what_does_not_answer(settings):
    settings.USE_S3, settings.AWS_STORAGE_BUCKET_NAME, settings.S3_ORIGINS = True, "clips", ["http://127.0.0.1:9"]
    options = s3_values("http://127.0.0.1:9")
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": S3_STORAGE, "OPTIONS": options}}
    code, printed = run("preflight", "--json", "--timeout", "30")
    found = {check["name"]: check for check in json.loads(printed)["checks"]}
    assert code == 1
    assert found["storage"]["detail"] == "s3: bucket clips at http://127.0.0.1:9"
    assert found["storage round trip"]["state"] == "fail"
    assert found["storage round trip"]["hint"]


@pytest.mark.django_db(transaction=True)
def test_a_weak_key_fails_the_preflight_without_being_shown(settings):
    settings.SECRET_KEY = "weak-key-of-ours"
    code, printed = run("preflight")
    assert (code, lines_of(printed)["secret key"][0]) == (1, "fail")
    assert settings.SECRET_KEY not in printed


def test_a_database_that_refuses_us_says_why_and_is_the_only_one_to_be_mended():
    variables = environment(DATABASE_URL="postgres://nobody@127.0.0.1:9/none")
    done = subprocess.run([sys.executable, "manage.py", "preflight", "--json"], cwd=ROOT, capture_output=True,
                          text=True, env=variables, timeout=60)  # fmt: skip
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert "refused" in found["database"]["detail"]
    assert {found[name]["state"] for name in ("migrations", "cache", "queue")} == {"unknown"}
    assert {name for name in found if found[name]["hint"]} == {"database"}


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_fails_with_what_to_type(monkeypatch, tmp_path):
    elsewhere = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "default", connections.settings["default"] | elsewhere)
    code, printed = run("preflight")
    states = {name: state for name, (state, _) in lines_of(printed).items()}
    assert code == 1
    assert [name for name, state in states.items() if state != "ok"] == ["migrations", "cache", "queue"]
    assert "→ migrations: python manage.py migrate" in printed


def test_bad_settings_end_the_preflight_with_their_sentences():
    done = subprocess.run([sys.executable, "manage.py", "preflight"], cwd=ROOT, capture_output=True, text=True,
                          env=environment(USE_S3="ture"), timeout=60)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "USE_S3 is 'ture', which is neither true nor false. Write True or False.\n"


def test_a_check_that_hangs_is_unknown_and_holds_nobody_up():
    release = threading.Event()
    found = find_all({"hung": lambda: str(release.wait(30)), "fine": lambda: "here"}, timeout_s=0.05)
    release.set()
    assert [(finding.name, finding.state) for finding in found] == [("hung", "unknown"), ("fine", "ok")]
