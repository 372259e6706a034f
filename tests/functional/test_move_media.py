"""`move_media`: every object goes to a bucket (a real S3 server) and back, is read back, and plays from there."""

import json
import shutil
from urllib.request import urlopen

import pytest
from django.utils import timezone

from core.backup.folder import FolderPlace
from core.models import Rendition
from core.services import media_move
from core.services.media_journal import open_journal
from core.services.media_sides import Side
from core.services.renditions import record_rendition, store_file
from core.services.storage import VideoStorageService
from core.storage.local import LocalStorageBackend
from core.storage.options import S3_STORAGE
from tests import factories
from tests.functional.backup_site import BackupSite
from tests.functional.operator_commands.command import run
from tests.storage.conftest import BUCKET, s3_address, s3_storage, s3_values  # noqa: F401 (fixtures)

pytestmark = pytest.mark.one_stack("development", why="begins with local files and brings a bucket of its own")

# Runs in every Python that has its folder in PYTHONPATH: kill -9 just before the n-th link, or bytes to the bucket.
KILLER = """
import os, sys
left = [int(os.environ.get("KILL_BEFORE_STEP", "0"))]
def hook(event, arguments):
    if event in {"os.link", "os.remove", "http.client.send"}:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
if left[0]:
    sys.addaudithook(hook)
"""


class Media:
    """What lies where, asked behind the site's back."""

    def __init__(self, settings, bucket):
        self.settings, self.bucket = settings, bucket

    def local(self):
        root = self.settings.MEDIA_ROOT
        return {str(p.relative_to(root)): p.read_bytes() for p in (root / "videos").rglob("*") if p.is_file()}

    def stored(self):
        return {item.key: item.get()["Body"].read() for item in self.bucket.objects.all()}

    def put(self, key, content):
        self.bucket.Object(key).delete()
        self.bucket.put_object(Key=key, Body=content)

    def switch_to_s3(self):
        options = s3_values(self.settings.AWS_S3_ENDPOINT_URL)
        self.settings.USE_S3 = True
        self.settings.STORAGES = {**self.settings.STORAGES, "default": {"BACKEND": S3_STORAGE, "OPTIONS": options}}


@pytest.fixture
def media(settings, s3_storage, s3_address):  # noqa: F811
    """A bucket that the site's settings know, while USE_S3 is still False."""
    settings.AWS_STORAGE_BUCKET_NAME, settings.AWS_S3_ENDPOINT_URL = BUCKET, s3_address
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "key", "secret"
    settings.AWS_S3_ADDRESSING_STYLE = "path"
    return Media(settings, s3_storage.connection.Bucket(BUCKET))


@pytest.fixture
def video(exercise, tmp_path):
    """A video with a poster and a map of thumbnails."""
    (tmp_path / "map.vtt").write_text("WEBVTT\n\n")
    stored = store_file(tmp_path / "map.vtt", mime_type="text/vtt", now=timezone.now())
    record_rendition(video=exercise.reference, kind=Rendition.Kind.VTT, stored=stored, now=timezone.now())
    return exercise.reference


@pytest.fixture
def move(capsys):
    """Runs the command; returns its exit code and what its JSON says."""

    def run_it(*options):
        code, printed = run("move_media", "--json", *options)
        return code, json.loads(printed or capsys.readouterr().out)

    return run_it


def test_a_dry_run_says_what_would_be_copied_and_copies_nothing(video, media, move):
    code, moved = move("--to", "s3", "--dry-run")
    assert (code, moved["to_copy"], moved["complete"]) == (1, 3, False)
    assert moved["to_copy_bytes"] == sum(map(len, media.local().values()))
    assert media.stored() == {}


def test_everything_is_copied_with_its_type_and_nothing_is_removed(video, media, move):
    before = media.local()
    code, moved = move("--to", "s3")
    assert (code, moved["copied"], moved["removed"]) == (0, 3, 0)
    assert media.stored() == media.local() == before
    types = {item.key: item.get()["ContentType"] for item in media.bucket.objects.all()}
    assert types[video.storage_path] == "video/mp4"
    assert sorted(types.values()) == ["image/jpeg", "text/vtt", "video/mp4"]
    assert list(media.settings.INCOMING_ROOT.iterdir()) == []
    assert move("--to", "s3", "--dry-run")[0] == 0


def test_a_second_run_copies_only_what_came_meanwhile(video, media, exercise, ben, clip, move):
    assert move("--to", "s3")[0] == 0
    factories.attempt(exercise, ben, clip)
    code, moved = move("--to", "s3")
    assert (code, moved["already"], moved["copied"]) == (0, 3, 2)


def test_after_the_switch_everything_plays_and_the_originals_may_go(video, media, ben, as_user, clip, move):
    assert move("--to", "s3")[0] == 0
    media.switch_to_s3()
    code, moved = move("--to", "s3", "--remove")
    assert (code, moved["removed"], media.local()) == (0, 3, {})
    for kind in ("stream", "poster"):
        answer = as_user(ben).get(f"/core/videos/{video.pk}/{kind}/")
        with urlopen(answer["Location"], timeout=10) as sent:
            assert kind == "poster" or sent.read() == clip.read_bytes()
    assert as_user(ben).get(f"/core/videos/{video.pk}/thumbnails.vtt").content == b"WEBVTT\n\n"
    assert run("fsck_media", "--checksums")[0] == 0


def test_what_arrived_on_disk_until_the_switch_is_copied_after_it(video, media, move):
    media.switch_to_s3()
    code, moved = move("--to", "s3", "--remove")
    assert (code, moved["copied"], moved["removed"]) == (0, 3, 3)
    assert run("fsck_media", "--checksums")[0] == 0


def test_and_back_to_the_disk(video, media, move):
    before = media.local()
    move("--to", "s3")
    shutil.rmtree(media.settings.MEDIA_ROOT / "videos")
    code, moved = move("--to", "local", "--remove")
    assert (code, moved["copied"], moved["removed"]) == (0, 3, 3)
    assert (media.local(), media.stored()) == (before, {})


def test_what_the_site_still_plays_is_not_removed(video, media, move):
    code, said = move("--to", "s3", "--remove")
    assert code == 2
    assert said["problem"] == "USE_S3=False: the site still plays what would be removed. Switch it to s3 first."
    assert media.stored() == {}


def test_an_original_whose_copy_goes_meanwhile_stays(video, media, exercise, ben, clip, move):
    move("--to", "s3")
    factories.attempt(exercise, ben, clip)
    media.switch_to_s3()
    copy = media.bucket.Object(video.storage_path)
    moved = media_move.move_media(to="s3", remove=True, tell=lambda done, of: copy.delete())
    assert [problem.storage_path for problem in moved.problems] == [video.storage_path]
    assert list(media.local()) == [video.storage_path]
    assert move("--to", "s3", "--remove")[1]["removed"] == 1
    assert media.local() == {}


def test_a_damaged_original_is_named_and_not_copied(video, media, move):
    path = VideoStorageService().backend.path(video.storage_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, moved = move("--to", "s3")
    assert (code, moved["copied"]) == (1, 2)
    assert [problem["storage_path"] for problem in moved["problems"]] == [video.storage_path]
    assert "damaged where it is" in moved["problems"][0]["detail"]
    assert video.storage_path not in media.stored()


def test_a_missing_original_is_named(video, media, move):
    VideoStorageService().backend.delete(video.storage_path)
    for options in ([], ["--dry-run"]):
        code, moved = move("--to", "s3", *options)
        assert code == 1
        assert moved["problems"][0]["detail"].startswith("in neither storage")


def test_other_bytes_under_a_key_are_neither_believed_nor_overwritten(video, media, move):
    media.put(video.storage_path, b"x" * video.size_bytes)
    code, moved = move("--to", "s3")
    assert (code, moved["copied"]) == (1, 2)
    assert "other bytes lie under its key" in moved["problems"][0]["detail"]
    assert media.stored()[video.storage_path] == b"x" * video.size_bytes


def test_a_copy_that_comes_back_damaged_is_removed_and_named(video, media, move, monkeypatch, tmp_path):
    class BadDisk(LocalStorageBackend):
        def adopt(self, source, storage_path, *, mime_type):
            source.unlink()
            source.write_bytes(b"rot")
            super().adopt(source, storage_path, mime_type=mime_type)

    here, folder = media_move.side_of("local"), tmp_path / "bad"
    there = Side(str(folder), BadDisk(folder, sign_url=str), FolderPlace(folder))
    monkeypatch.setattr(media_move, "side_of", {"local": here, "s3": there}.get)
    (folder / "incoming").mkdir(parents=True)
    before = media.local()
    code, moved = move("--to", "s3")
    assert (code, moved["copied"], len(moved["problems"])) == (1, 0, 3)
    assert "came back damaged" in moved["problems"][0]["detail"]
    assert there.sizes() == {}
    assert media.local() == before


def test_what_no_row_names_is_counted_and_left(video, media, move):
    Rendition.objects.all().delete()
    code, moved = move("--to", "s3")
    assert (code, moved["copied"], moved["unnamed"]) == (0, 1, 2)
    media.switch_to_s3()
    assert move("--to", "s3", "--remove")[1]["removed"] == 1
    assert len(media.local()) == 2


def test_two_at_once_are_one_and_a_refusal(video, media, move):
    with open_journal(media.settings.MEDIA_ROOT / ".moved-to-s3.jsonl", address="elsewhere"):
        code, said = move("--to", "s3")
    assert (code, said["problem"]) == (2, "Another move_media is at work here: let it end, then look again.")


def test_without_a_bucket_it_says_what_to_set(video, settings, move):
    code, said = move("--to", "s3")
    assert code == 2
    assert said["problem"].startswith("AWS_STORAGE_BUCKET_NAME is not set.")


def test_without_an_answer_of_the_bucket_it_ends_with_two(video, media, move):
    media.settings.AWS_S3_ENDPOINT_URL = "http://127.0.0.1:9"
    code, said = move("--to", "s3")
    assert code == 2
    assert f"s3://{BUCKET}" in said["problem"]


def test_a_line_of_the_journal_that_a_kill_cut_off_says_nothing(tmp_path):
    path = tmp_path / "journal"
    path.write_text('{"at": "bucket", "key": "a", "sha256": "1"}\n{"at": "bucket", "key": "b", "sha')
    with open_journal(path, address="bucket") as journal:
        assert journal.whole == {"a": "1"}
        journal.add("b", "2")
    with open_journal(path, address="bucket") as journal:
        assert journal.whole == {"a": "1", "b": "2"}
    with open_journal(path, address="another bucket") as journal:
        assert journal.whole == {}


def test_killed_anywhere_nothing_is_half_and_the_next_run_finishes(tmp_path, s3_storage, s3_address):  # noqa: F811
    site = BackupSite(
        tmp_path / "site",
        AWS_STORAGE_BUCKET_NAME=BUCKET, AWS_S3_ENDPOINT_URL=s3_address, AWS_S3_ADDRESSING_STYLE="path",
        AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret",
    ).store()  # fmt: skip
    (site.folder / "sitecustomize.py").write_text(KILLER)
    path = f"{site.folder}:{site.env['PYTHONPATH']}"
    whole = site.videos()
    for step in (4, 9):
        killed = site.run("move_media", "--to", "s3", PYTHONPATH=path, KILL_BEFORE_STEP=str(step))
        assert killed.returncode == -9
        stored = {item.key: item.get()["Body"].read() for item in s3_storage.bucket.objects.all()}
        assert stored.items() <= whole.items()
        assert site.videos() == whole
    done = site.run("move_media", "--to", "s3")
    assert done.returncode == 0, done.stderr
    assert {item.key: item.get()["Body"].read() for item in s3_storage.bucket.objects.all()} == whole
