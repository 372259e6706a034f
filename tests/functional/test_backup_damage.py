"""A backup of which any byte was changed is refused, in a sentence that names the file."""

import json
from datetime import UTC, datetime

import pytest

from core.backup.folder import FolderPlace
from core.backup.sealed import Damaged, seal, unseal
from core.services.backup_drill import newest_verified, verify_backup
from core.services.backup_repository import backup_ids, read_backup, read_backups

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

NOW = datetime(2025, 3, 22, 3, 15, tzinfo=UTC)


@pytest.fixture
def site(backed_up_site, tmp_path):
    return backed_up_site.copied_to(tmp_path / "site")


@pytest.fixture
def place(site):
    return FolderPlace(site.backups)


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def refusal(place):
    """Return the sentences with which the drill refuses the one backup."""
    try:
        return verify_backup(place=place, backup_id=backup_ids(place)[0], now=NOW).problems
    except Damaged as error:
        return [error.sentence]


@pytest.mark.parametrize("share", [0.0, 0.37, 0.5, 0.83, 1.0])
def test_any_byte_of_any_file(site, place, share):
    files = [path for path in (site.backups / "objects").rglob("*") if path.is_file()] + site.manifests()
    assert len(files) == 6
    for path in files:
        content = path.read_bytes()
        flip(path, round(share * (len(content) - 1)))
        name = path.relative_to(site.backups).as_posix()
        assert any(name in sentence for sentence in refusal(place)), name
        assert newest_verified(place) is None  # it counted before, and does not any more
        path.write_bytes(content)


def test_a_shorter_longer_or_missing_file(site, place):
    for path in [*(site.backups / "objects").rglob("*"), *site.manifests()]:
        if path.is_dir():
            continue
        name, content = path.relative_to(site.backups).as_posix(), path.read_bytes()
        for changed in (content[:-1], content + b"\n", b"", None):
            path.unlink() if changed is None else path.write_bytes(changed)
            if path.name == "manifest.json" and changed is None:
                assert backup_ids(place) == []  # without its manifest it is no backup
            else:
                assert any(name in sentence for sentence in refusal(place)), name
        path.write_bytes(content)


def test_a_changed_verification_does_not_count(site, place):
    verified = next(site.backups.glob("backups/*/verified.json"))
    for position in (0, 40, -70, -1):
        content = verified.read_bytes()
        flip(verified, position)
        with pytest.raises(Damaged, match=r"verified\.json"):
            read_backup(place, backup_ids(place)[0])
        assert newest_verified(place) is None
        verified.write_bytes(content)
    assert newest_verified(place)


def test_a_verification_of_another_manifest_does_not_count(site, place):
    verified = next(site.backups.glob("backups/*/verified.json"))
    verified.write_bytes(seal(unseal(verified.read_bytes(), "") | {"manifest_sha256": "0" * 64}))
    assert read_backups(place)[0] == []


def reseal(site, **changed):
    """Write a manifest whose own digest is right, but which tells something else."""
    path = site.manifests()[0]
    path.write_bytes(seal(unseal(path.read_bytes(), "") | changed))


def test_other_rows_or_migrations_than_the_manifest_tells(site, place):
    contents = unseal(site.manifests()[0].read_bytes(), "")["contents"]
    reseal(site, contents=contents | {"tables": contents["tables"] | {"accounts_user": 3}})
    assert refusal(place) == ["Table accounts_user has 2 rows; the manifest tells 3."]
    reseal(site, contents=contents | {"migrations": [*contents["migrations"], "zoo.0001_initial"]})
    assert refusal(place) == ["The applied migrations are not those that the manifest tells."]


def test_an_object_that_the_manifest_forgot(site, place):
    media = unseal(site.manifests()[0].read_bytes(), "")["media"]
    reseal(site, media=media[1:])
    assert "1 objects are in the database or the backup only" in refusal(place)[0]


@pytest.mark.parametrize(
    "changed", [{"format": 2}, {"id": "20250101T000000Z-000000"}, {"engine": "dbase"}, {"media": [{}]}, {"media": 5}]
)
def test_a_manifest_that_makes_no_sense(site, place, changed):
    reseal(site, **changed)
    assert "manifest.json" in refusal(place)[0]


def test_a_video_without_frames_though_its_digest_is_right(site, place):
    """As when the row's digest was already that of a broken file."""
    told = unseal(site.manifests()[0].read_bytes(), "")
    poster = next(file for file in told["media"] if not file["plays"])
    reseal(site, media=[file | {"plays": True} if file == poster else file for file in told["media"]])
    assert "does not decode" in refusal(place)[0]


def test_the_next_backup_replaces_what_a_drill_found_damaged(site, place):
    video = max((site.backups / "objects").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    content = video.read_bytes()
    (site.folder / "x").write_text("")
    flip(video, 100)
    assert refusal(place)
    site.backup()
    if json.loads(site.manifests()[0].read_text().splitlines()[0])["database"]["sha256"] != video.name:
        assert video.read_bytes() == content
    assert site.run("verify_backup", "--from", str(site.backups)).returncode == 0
