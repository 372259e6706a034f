"""What stays: 7 days, 5 weeks, 12 months of verified backups; never the newest good one, nothing without one."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from core.backup.folder import FolderPlace
from core.backup.layout import FAILED, MANIFEST, VERIFIED, file_of, new_id, object_name
from core.backup.manifest import SQLITE, Contents, Manifest, MediaFile, StoredFile
from core.backup.retention import Kept, to_remove
from core.backup.sealed import digest_of, seal
from core.services.backup_retention import prune_backups

pytestmark = pytest.mark.one_stack("development", why="asks neither database, cache, nor storage")

NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)  # a Sunday


def kept(days_ago: float, *, verified: bool = True) -> Kept:
    return Kept(f"{days_ago:g}", NOON - timedelta(days=days_ago), verified)


def staying(*backups: Kept) -> list[str]:
    gone = to_remove(backups)
    return [backup.id for backup in backups if backup.id not in gone]


def test_a_year_of_nights_leaves_days_weeks_and_months():
    nights = [kept(days) for days in range(400)]
    stays = [int(night) for night in staying(*nights)]
    assert stays[:8] == [0, 1, 2, 3, 4, 5, 6, 7]  # seven days, and Sunday the 8th, which ends the week before
    assert stays[8:11] == [14, 15, 21]  # the 1st of June ends a week, the 31st of May the month
    assert [(NOON - timedelta(days=days)).month for days in stays[11:]] == [5, 4, 3, 2, 1, 12, 11, 10, 9, 8, 7]
    assert staying(*[night for night in nights if int(night.id) in stays]) == [str(days) for days in stays]


def test_nothing_goes_when_none_is_verified():
    assert to_remove([kept(days, verified=False) for days in range(400)]) == []


def test_the_only_verified_one_stays_however_old_it_is():
    assert staying(kept(0, verified=False), kept(900), kept(901, verified=False)) == ["0", "900"]


def test_backups_that_stopped_last_year_stay_as_they_were():
    assert staying(*[kept(days) for days in range(300, 307)]) == [str(days) for days in range(300, 307)]


def test_the_good_backup_of_the_day_stays_beside_the_copy_that_a_restore_made():
    assert staying(kept(0), kept(0.1), kept(0.2)) == ["0", "0.1", "0.2"]


def test_unverified_ones_count_for_nothing():
    backups = [kept(days, verified=days % 2 == 0) for days in range(14)]
    assert staying(*backups) == ["0", "2", "4", "6", "8", "10", "12"]


@pytest.fixture
def place(tmp_path):
    return FolderPlace(tmp_path / "backups")


def make(place, days_ago, *contents: bytes, verified=True):
    """Put a backup of these objects, and of a database of its own, into the place."""
    files = []
    for content in (f"database {days_ago}".encode(), *contents):
        digest = hashlib.sha256(content).hexdigest()
        place.put_bytes(content, object_name(digest))
        files.append(StoredFile(digest, len(content)))
    time = NOON - timedelta(days=days_ago)
    media = [MediaFile(f.sha256, f.size_bytes, f"videos/{f.sha256}", False) for f in files[1:]]
    backup_id = new_id(time, "00a0b0")
    made = Manifest(
        backup_id, time.isoformat(), "1.0.0", SQLITE, "3", files[0], Contents({}, []), media, []
    )  # fmt: skip
    sealed = seal(made.to_json())
    place.put_bytes(sealed, file_of(backup_id, MANIFEST))
    record = seal({"manifest_sha256": digest_of(sealed), "verified_at": time.isoformat(), "damaged": []})
    place.put_bytes(record, file_of(backup_id, VERIFIED if verified else FAILED))
    return backup_id


def contents_in(place):
    return sorted(place.open(name).read().decode() for name in place.names("objects/"))


def test_objects_that_no_manifest_names_go_and_shared_ones_stay(place):
    newest = make(place, 0, b"shared", b"new")
    for days in range(1, 8):
        make(place, days, b"shared")
    old = make(place, 2.5, b"shared", b"old")
    pruned = prune_backups(place=place)
    assert pruned.problems == []
    assert pruned.removed == [old]
    assert newest in pruned.kept
    assert pruned.objects == 2
    assert set(contents_in(place)) == {"shared", "new"} | {f"database {days}" for days in range(8)}
    assert prune_backups(place=place).removed == []


def test_a_dry_run_removes_nothing(place):
    make(place, 0, b"new")
    make(place, 1, b"old", verified=False)
    before = place.names("objects/") | place.names("backups/")
    pruned = prune_backups(place=place, dry_run=True)
    assert (len(pruned.removed), pruned.objects) == (1, 2)
    assert place.names("objects/") | place.names("backups/") == before


def test_without_a_verified_one_everything_stays_and_it_is_said(place):
    for days in range(20):
        make(place, days, b"x", verified=False)
    pruned = prune_backups(place=place)
    assert (pruned.removed, pruned.objects, len(pruned.kept)) == ([], 0, 20)
    assert "run verify_backup" in pruned.problems[0]


def test_with_a_damaged_manifest_no_object_goes(place):
    make(place, 0, b"new")
    damaged = make(place, 1, b"named by a manifest that cannot be read")
    place.put_bytes(b"{}\n", file_of(damaged, MANIFEST))
    place.put_bytes(b"unnamed", object_name("ab" * 32))
    pruned = prune_backups(place=place)
    assert pruned.objects == 0
    assert damaged in pruned.problems[0]
    assert "unnamed" in contents_in(place)


def test_the_manifest_says_the_same_to_other_programs(place):
    backup_id = make(place, 0, b"x")
    body, digest = place.open(file_of(backup_id, MANIFEST)).read().splitlines()
    assert hashlib.sha256(body).hexdigest().encode() == digest
    assert json.loads(body)["id"] == backup_id
