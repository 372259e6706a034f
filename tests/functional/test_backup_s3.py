"""Backups in a bucket of a real S3 server over HTTP, of sites whose videos are on disk or in a bucket."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.backup.places import NotKept, PlaceBusy, PlaceUnavailable
from core.backup.s3 import LOCK_LIFE, S3Place, _Lease
from tests.functional.backup_site import BackupSite
from tests.storage.conftest import BUCKET, s3_address, s3_storage, s3_values  # noqa: F401 (fixtures)

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

AWAY = f"s3://{BUCKET}/nightly"


@pytest.fixture
def place(s3_storage, s3_address, tmp_path):  # noqa: F811
    return S3Place(BUCKET, "nightly", scratch=tmp_path / "scratch", options=s3_values(s3_address))


@pytest.fixture
def variables(s3_storage, s3_address):  # noqa: F811
    return {
        "AWS_S3_ENDPOINT_URL": s3_address,
        "AWS_S3_ADDRESSING_STYLE": "path",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def keys(s3_storage, prefix):  # noqa: F811
    return {item.key: item.e_tag for item in s3_storage.bucket.objects.filter(Prefix=prefix)}


@pytest.mark.parametrize("use_s3", ["False", "True"])
def test_backed_up_verified_damaged_refused_and_restored(tmp_path, variables, s3_storage, use_s3, stored_site):  # noqa: F811
    variables |= {"USE_S3": use_s3, "AWS_STORAGE_BUCKET_NAME": BUCKET if use_s3 == "True" else ""}
    if use_s3 == "True":
        site = BackupSite(tmp_path / "site", **variables).store()
    else:
        site = stored_site.copied_to(tmp_path / "site", **variables)
    done = site.run("backup", "--to", AWAY, "--verify", "--json")
    assert done.returncode == 0, done.stderr
    stored = keys(s3_storage, "nightly/objects/")
    assert site.run("backup", "--to", AWAY).returncode == 0
    assert keys(s3_storage, "nightly/objects/") == stored
    assert keys(s3_storage, "nightly/lock") == {}

    fresh = BackupSite(tmp_path / "fresh", **variables)
    fresh.folder.mkdir()
    s3_storage.bucket.objects.filter(Prefix="videos/").delete()
    assert fresh.run("restore", json.loads(done.stdout)["id"], "--from", AWAY).returncode == 0
    assert fresh.run("fsck_media", "--checksums").returncode == 0

    damaged = min(stored)
    content = bytearray(s3_storage.bucket.Object(damaged).get()["Body"].read())
    content[len(content) // 2] ^= 1
    s3_storage.connection.meta.client.put_object(Bucket=BUCKET, Key=f"{damaged}x", Body=b"beside")
    s3_storage.bucket.Object(damaged).delete()
    s3_storage.connection.meta.client.put_object(Bucket=BUCKET, Key=damaged, Body=bytes(content))
    done = site.run("verify_backup", "--from", AWAY)
    assert done.returncode == 1
    assert damaged.removeprefix("nightly/") in done.stderr
    assert site.run("prune_backups", "--in", AWAY).returncode == 0
    assert f"{damaged}x" not in keys(s3_storage, "nightly/objects/")


def test_the_lock_holds_until_its_end_and_is_then_taken_over_by_one(place):
    now = datetime.now(UTC)
    first = _Lease(place)
    first.take(now=now)
    with pytest.raises(PlaceBusy), place.writing():
        pass
    later = _Lease(place)
    later.take(now=now + LOCK_LIFE + timedelta(seconds=1))
    later.end()
    with pytest.raises(NotKept):
        place.open("lock")
    first.end()
    with place.writing():
        pass


def test_of_two_that_take_over_one_is_refused(place):
    now = datetime.now(UTC)
    dead = _Lease(place)
    dead.take(now=now - 2 * LOCK_LIFE)
    slow = _Lease(place)
    condition = slow._condition(now)
    quick = _Lease(place)
    quick.take(now=now)
    with pytest.raises(PlaceBusy):
        place._put(b"{}", "lock", **condition)
    for lease in (quick, dead):
        lease.end()


def test_a_bucket_that_is_not_there_is_told(s3_address, tmp_path):  # noqa: F811
    place = S3Place("no-such-bucket", "", scratch=tmp_path, options=s3_values(s3_address))
    with pytest.raises(PlaceUnavailable, match="NoSuchBucket"):
        place.names("backups/")
