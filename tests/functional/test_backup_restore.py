"""Restoring: never over live data unasked, the old kept, the site whole wherever it is killed."""

import contextlib
import json
import shutil
import sqlite3

import pytest

from tests.functional.backup_site import BackupSite

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")


@pytest.fixture
def site(backed_up_site, tmp_path):
    return backed_up_site.copied_to(tmp_path / "site")


def restore(site, *arguments):
    return site.run("restore", "latest", "--from", str(site.backups), *arguments)


def names(database) -> set[str]:
    with contextlib.closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {name for (name,) in opened.execute("SELECT name FROM accounts_user")}


def test_on_a_fresh_machine_the_site_is_as_it_was(site, tmp_path):
    fresh = BackupSite(tmp_path / "fresh")
    fresh.folder.mkdir()
    shutil.copytree(site.backups, fresh.backups)
    done = restore(fresh)
    assert done.returncode == 0, done.stderr
    assert names(fresh.database) == {"Ada", "Ben"}
    assert fresh.videos() == site.videos()
    assert fresh.run("migrate", "--check").returncode == 0
    assert fresh.run("fsck_media", "--checksums").returncode == 0


def test_a_site_in_use_is_not_touched_unasked(site):
    site.sql("UPDATE accounts_user SET name = 'New' WHERE name = 'Ben'")
    done = restore(site)
    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert names(site.database) == {"Ada", "New"}
    assert len(site.manifests()) == 1


def test_replaced_after_a_verified_copy_the_old_database_kept(site):
    before = site.videos()
    site.sql("UPDATE accounts_user SET name = 'New' WHERE name = 'Ben'")
    lost, damaged = list(before)[:2]
    (site.media / lost).unlink()
    (site.media / damaged).write_bytes(b"x" * len(before[damaged]))
    done = restore(site, "--replace", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["objects"] == 2
    assert said["objects_there_already"] == 2
    assert names(site.database) == {"Ada", "Ben"}
    assert names(said["kept"]) == {"Ada", "New"}
    assert site.videos() == before
    listed = json.loads(site.run("backup", "--list", "--json", "--to", str(site.backups)).stdout)["backups"]
    assert said["copy_id"] in [row["id"] for row in listed if row["verified_at"]]


def test_a_site_too_damaged_to_be_copied_needs_the_word_that_there_is_a_copy(site):
    site.database.write_bytes(b"not a database" * 1000)
    done = restore(site, "--replace")
    assert done.returncode in {1, 2}
    assert site.database.read_bytes() == b"not a database" * 1000
    assert restore(site, "--i-have-a-copy").returncode == 0
    assert names(site.database) == {"Ada", "Ben"}
    assert [path.read_bytes() for path in site.folder.glob("db.sqlite3.before-*")] == [b"not a database" * 1000]


def test_a_running_site_is_not_replaced(site):
    with contextlib.closing(sqlite3.connect(site.database)) as running:
        running.execute("SELECT count(*) FROM accounts_user").fetchall()
        running.execute("PRAGMA journal_mode=WAL")
        done = restore(site, "--i-have-a-copy")
        assert done.returncode == 2
        assert "stop the site" in done.stderr
        running.execute("UPDATE accounts_user SET name = 'Still here' WHERE name = 'Ben'")
        running.commit()
    assert names(site.database) == {"Ada", "Still here"}


def test_a_damaged_backup_is_refused_and_the_site_unchanged(site):
    video = max((site.backups / "objects").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    before = site.database.read_bytes()
    done = restore(site, "--i-have-a-copy")
    assert done.returncode == 1
    assert video.name in done.stderr
    assert site.database.read_bytes() == before


def test_killed_before_any_step_the_database_is_the_old_or_the_new_one(site):
    site.sql("UPDATE accounts_user SET name = 'New' WHERE name = 'Ben'")
    videos = site.videos()
    shutil.rmtree(site.media / "videos")
    step, status = 0, -9
    while status:
        step += 1
        status = site.run_until_killed(step, "restore", "latest", "--from", str(site.backups), "--i-have-a-copy")
        assert status in {0, -9}
        assert names(site.database) == ({"Ada", "New"} if status else {"Ada", "Ben"})
        assert site.videos().items() <= videos.items()
    assert step > 4
    assert site.videos() == videos
    assert site.run("fsck_media", "--checksums").returncode == 0


def test_there_is_no_such_backup(site):
    done = site.run("restore", "20200101T000000Z-000000", "--from", str(site.backups))
    assert done.returncode == 1
    assert "the newest is" in done.stderr


def test_lost_and_damaged_objects_come_back_alone_while_the_site_goes_on(site):
    before = site.videos()
    site.sql("UPDATE accounts_user SET name = 'New' WHERE name = 'Ben'")
    (lost,), (damaged,) = site.sql("SELECT storage_path FROM core_videoasset ORDER BY storage_path")
    ((unnamed,),) = site.sql("SELECT storage_path FROM core_rendition ORDER BY storage_path LIMIT 1")
    (site.media / lost).unlink()
    (site.media / damaged).write_bytes(b"rot")
    (site.media / unnamed).unlink()
    site.sql(f"DELETE FROM core_rendition WHERE storage_path = '{unnamed}'")
    done = restore(site, "--media")
    assert done.returncode == 0, done.stderr
    assert ": 2 objects, " in done.stdout
    assert "migrate" not in done.stdout
    assert names(site.database) == {"Ada", "New"}
    del before[unnamed]
    assert site.videos() == before
