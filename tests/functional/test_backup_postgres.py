"""PostgreSQL, a real server: dumped while rows are written, tried out in a scratch database, swapped in whole."""

import json
import os
import shutil
import signal
import subprocess

import psycopg
import pytest

from tests.functional.backup_site import BackupSite, required
from tests.servers.postgres import postgres, programs

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

WRITING = "INSERT INTO practika_cache SELECT gen_random_uuid(), 'v', now();"


@pytest.fixture(scope="module")
def server():
    required(programs(), "PostgreSQL")
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def stored(server, tmp_path_factory):
    """A stored site, and the database `stored` it is in, for copies of both."""
    server.sql("CREATE DATABASE stored", "postgres")
    path = f"{server.programs}:{os.environ['PATH']}"
    return BackupSite(tmp_path_factory.mktemp("pg") / "site", DATABASE_URL=server.url("stored"), PATH=path).store()


@pytest.fixture
def site(server, stored, tmp_path):
    """The site on a database of its own, and no other of its name on the server."""
    for name in server.databases():
        if name.startswith("practika"):
            server.sql(f'DROP DATABASE "{name}" WITH (FORCE)', "postgres")
    server.sql("CREATE DATABASE practika TEMPLATE stored", "postgres")
    return stored.copied_to(tmp_path / "site", DATABASE_URL=server.url(), PATH=stored.env["PATH"])


def test_a_backup_is_verified_in_a_scratch_database_that_is_gone_afterwards(site, server):
    made = site.backup("--verify")
    assert made["verified_at"]
    assert [name for name in server.databases() if name.startswith("practika")] == ["practika"]
    manifest = json.loads(site.manifests()[0].read_text().splitlines()[0])
    assert manifest["engine"] == "postgresql"
    assert manifest["contents"]["tables"]["accounts_user"] == 2


def test_the_restored_site_is_the_one_that_was_backed_up_and_the_old_one_is_kept(site, server):
    before = site.videos()
    made = site.backup()
    server.sql("UPDATE accounts_user SET name = 'Somebody else'")
    shutil.rmtree(site.media / "videos")
    done = site.run("restore", made["id"], "--from", str(site.backups), "--i-have-a-copy", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    kept = json.loads(done.stdout)["kept"]
    assert {name for (name,) in server.sql("SELECT name FROM accounts_user")} == {"Ada", "Ben"}
    assert {name for (name,) in server.sql("SELECT name FROM accounts_user", kept)} == {"Somebody else"}
    assert site.videos() == before
    assert site.run("fsck_media", "--checksums").returncode == 0
    assert site.run("migrate", "--check").returncode == 0


def test_a_drill_that_could_not_be_tried_leaves_the_backup_verified(site):
    made = site.backup("--verify")
    nobody_listens = {"DATABASE_URL": "postgres://practika@127.0.0.1:1/practika"}
    assert site.run("verify_backup", "--from", str(site.backups), **nobody_listens).returncode == 2
    listed = site.run("backup", "--list", "--to", str(site.backups), "--json")
    assert [row["verified_at"] for row in json.loads(listed.stdout)["backups"]] == [made["verified_at"]]


def test_damage_that_a_drill_found_before_it_met_no_server_takes_the_verification(site):
    made = site.backup("--verify")
    video = max((site.backups / "objects").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    video.write_bytes(video.read_bytes()[:-1])
    nobody_listens = {"DATABASE_URL": "postgres://practika@127.0.0.1:1/practika"}
    done = site.run("verify_backup", "--from", str(site.backups), **nobody_listens)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    listed = site.run("backup", "--list", "--to", str(site.backups), "--json")
    assert [(row["id"], row["verified_at"]) for row in json.loads(listed.stdout)["backups"]] == [(made["id"], None)]


def test_a_server_in_use_is_not_replaced(site, server):
    made = site.backup("--verify")
    with psycopg.connect(server.url()):
        done = site.run("restore", made["id"], "--from", str(site.backups), "--i-have-a-copy")
    assert done.returncode == 2
    assert "in use" in done.stderr
    assert [name for name in server.databases() if name.startswith("practika")] == ["practika"]


def test_the_counts_are_those_of_the_dump_while_rows_are_written(site, server):
    endless = f'while :; do echo "{WRITING}"; done'
    writer = subprocess.Popen(
        ["bash", "-c", f"{endless} | {server.programs}/psql --quiet --dbname='{server.url()}'"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        while server.sql("SELECT count(*) FROM practika_cache") < [(10,)]:
            assert writer.poll() is None, writer.stderr.read()
        made = site.backup()
    finally:
        os.killpg(writer.pid, signal.SIGKILL)
        writer.communicate()
    assert site.run("verify_backup", made["id"], "--from", str(site.backups)).returncode == 0
    at_the_backup = json.loads(site.manifests()[0].read_text().splitlines()[0])["contents"]["tables"]["practika_cache"]
    assert 10 <= at_the_backup < server.sql("SELECT count(*) FROM practika_cache")[0][0]


def test_a_program_that_is_older_than_the_server_is_told(site, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    (old / "pg_dump").chmod(0o755)
    done = site.run("backup", "--to", str(site.backups), PATH=f"{old}:{os.environ['PATH']}")
    assert done.returncode == 2
    assert "pg_dump is older than the server" in done.stderr
    assert not site.manifests()
