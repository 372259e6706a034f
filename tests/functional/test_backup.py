"""Backups made beside a running site: whole or absent, sharing what they can, saying what is missing."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from core.backup.folder import FolderPlace
from tests.functional.test_server import ROOT

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

# Publishes exercises and deletes them again until it is told to stop; each turn is several transactions.
LIVE = """
import pathlib, sys, threading
from django.utils import timezone
from core.models import VideoAsset
from core.services.videos import delete_video_asset, store_video
from accounts.models import Classroom, User
from tests import factories
ada, classroom = User.objects.get(name="Ada"), Classroom.objects.get()
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
turns = 0
while not stop.is_set():
    turns += 1
    clip = pathlib.Path(FOLDER) / f"{1 + turns % 2}.mp4"
    made = store_video(received=factories.received(clip), owner=ada, classroom=classroom, now=timezone.now())
    if turns % 2:
        delete_video_asset(video=made, now=timezone.now())
    if turns == 2:
        print("running", flush=True)
print(turns)
"""


@pytest.fixture
def site(stored_site, tmp_path):
    return stored_site.copied_to(tmp_path / "site")


def kept_objects(site) -> dict[str, int]:
    """Return the kept objects with their inodes, which are others when a file was written again."""
    return {path.name: path.stat().st_ino for path in (site.backups / "objects").rglob("*") if path.is_file()}


def test_a_backup_counts_once_its_restore_drill_passed(site):
    made = site.backup()
    assert made["verified_at"] is None
    assert site.run("backup", "--list", "--to", str(site.backups)).returncode == 1
    done = site.run("verify_backup", "--from", str(site.backups))
    assert done.returncode == 0, done.stderr
    assert "2 videos decoded, log-in page served" in done.stdout
    listed = json.loads(site.run("backup", "--list", "--json", "--to", str(site.backups)).stdout)["backups"]
    assert [row["id"] for row in listed if row["verified_at"]] == [made["id"]]


def test_the_second_backup_copies_only_what_is_new(site):
    site.backup()
    before = kept_objects(site)
    assert len(before) == 1 + 4  # the database, two videos, two posters
    site.sql("UPDATE accounts_user SET name = 'Ada the second' WHERE name = 'Ada'")
    site.backup()
    after = kept_objects(site)
    assert len(after.keys() - before.keys()) == 1
    assert before.items() <= after.items()
    site.backup()
    assert kept_objects(site) == after  # nothing changed, so nothing is copied


def test_the_last_rows_are_in_it_though_they_are_in_no_file_called_sqlite3(site):
    with sqlite3.connect(site.database) as live:
        live.execute("PRAGMA journal_mode=WAL")
        live.execute("PRAGMA wal_autocheckpoint=0")
        live.execute("UPDATE accounts_user SET name = 'Written a moment ago' WHERE name = 'Ben'")
        live.commit()
        site.backup()
    manifest = json.loads(site.manifests()[0].read_text().splitlines()[0])
    digest = manifest["database"]["sha256"]
    with sqlite3.connect(site.backups / "objects" / digest[:2] / digest) as copy:
        assert ("Written a moment ago",) in copy.execute("SELECT name FROM accounts_user").fetchall()


def test_the_manifest_tells_sizes_digests_rows_version_time_and_engine(site):
    site.backup()
    body, digest = site.manifests()[0].read_text().splitlines()
    told = json.loads(body)
    assert len(digest) == 64
    assert told["engine"] == "sqlite"
    assert told["created_at"].endswith("+00:00")
    assert told["practika_version"] == "1.0.0"
    assert told["contents"]["tables"]["core_videoasset"] == 2
    assert "core.0001_initial" in told["contents"]["migrations"]
    assert {file["storage_path"] for file in told["media"]} == site.videos().keys()
    assert sorted(file["size_bytes"] for file in told["media"]) == sorted(map(len, site.videos().values()))


def test_a_lost_and_a_damaged_video_are_named_and_the_rest_is_backed_up(site):
    lost, damaged = (path for (path,) in site.sql("SELECT storage_path FROM core_videoasset ORDER BY size_bytes"))
    (site.media / lost).unlink()
    content = bytearray((site.media / damaged).read_bytes())
    content[len(content) // 2] ^= 1
    (site.media / damaged).write_bytes(content)
    done = site.run("backup", "--verify", "--to", str(site.backups))
    assert done.returncode == 1
    assert f"{lost}: lost" in done.stderr
    assert f"{damaged}: other bytes than its row says" in done.stderr
    assert ", verified." in done.stdout


def test_backups_of_a_site_that_stores_and_deletes_videos_meanwhile_pass_their_drill(site):
    live = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", f"FOLDER = {str(site.folder)!r}\n{LIVE}"],
        cwd=ROOT, env=site.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert live.stdout.readline() == "running\n"
        made = [site.backup()["id"] for _ in range(2)]
        assert live.poll() is None
    finally:
        turns = live.communicate("stop", timeout=60)[0]
    assert live.returncode == 0
    assert int(turns) > 5
    for backup_id in made:
        done = site.run("verify_backup", backup_id, "--from", str(site.backups))
        assert done.returncode == 0, done.stderr


def test_killed_before_any_step_it_leaves_no_backup_and_the_next_run_is_whole_and_clean(site):
    steps = 1 + 4 + 1  # the database, two videos and two posters, the manifest
    for step in range(1, steps + 1):
        shutil.rmtree(site.backups, ignore_errors=True)
        assert site.run_until_killed(step, "backup", "--to", str(site.backups)) == -9
        assert site.manifests() == []
        assert len(kept_objects(site)) == step - 1
    before = kept_objects(site)
    site.backup()
    assert before.items() <= kept_objects(site).items()
    for left in (site.backups / "incoming").glob("*"):
        pytest.fail(f"{left.name} is left on its way in")
    assert site.run("verify_backup", "--from", str(site.backups)).returncode == 0


def test_two_at_once_are_one_and_a_refusal(site):
    site.backup()
    holder = (
        "import sys; from pathlib import Path; from core.backup.folder import FolderPlace\n"
        "with FolderPlace(Path(sys.argv[1])).writing(): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(site.backups)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "held\n"
        for command in (["backup", "--to"], ["prune_backups", "--in"]):
            done = site.run(*command, str(site.backups))
            assert done.returncode == 2
            assert "Another backup or pruning is at work" in done.stderr
        process.kill()
    site.backup()  # the lock went with its holder


def test_a_child_that_is_begun_meanwhile_does_not_hold_the_place(tmp_path):
    place = FolderPlace(tmp_path / "backups")
    with place.writing():
        child = os.fork()
        if not child:
            signal.pause()  # between fork and exec, with every descriptor
    try:
        with place.writing():
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_place_that_cannot_be_used_is_told_with_exit_code_2(site):
    (site.folder / "file").write_text("no folder")
    for place in (str(site.folder / "file" / "below"), "ftp://example.org/x", "s3://", "s3:bucket"):
        done = site.run("backup", "--to", place)
        assert done.returncode == 2, done
        assert done.stderr.strip().count("\n") == 0
        assert "Traceback" not in done.stderr
    done = site.run("backup", "--json", "--to", "ftp://example.org/x")
    assert "no place for backups" in json.loads(done.stdout)["problem"]


def test_a_full_disk_leaves_no_backup_and_says_so(site):
    limited = f"ulimit -f 100; exec {sys.executable} manage.py backup --to {site.backups}"
    done = subprocess.run(["bash", "-c", limited], cwd=ROOT, env=site.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not site.manifests()


def test_a_database_that_does_not_hold_together_is_no_backup(site):
    with sqlite3.connect(site.database) as live:
        live.execute("PRAGMA foreign_keys=OFF")
        live.execute("DELETE FROM accounts_classroom")
    done = site.run("backup", "--to", str(site.backups))
    assert done.returncode == 1
    assert "point to rows that are missing" in done.stderr
    assert not site.manifests()
    assert not list((site.backups / "incoming").iterdir())
