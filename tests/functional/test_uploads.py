"""Uploads in parts, over HTTP and in both storages: open, send, look, complete, give up."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent, ProcessingJob, Upload, VideoAsset
from core.services.completion import complete_upload
from core.services.rendering import run_job
from core.storage.parts import MEBIBYTE
from tests.functional.uploading import UPLOADS, Uploader

PART = {"local": 16 * MEBIBYTE, "s3": 16 * MEBIBYTE}
RECORDED_PART = {"local": MEBIBYTE, "s3": 5 * MEBIBYTE}


@pytest.fixture
def sender(store, ben, classroom, clip, as_user) -> Uploader:
    """Ben, about to send the clip."""
    return Uploader(as_user(ben), classroom, clip.read_bytes())


@pytest.fixture
def long_sender(store, ben, classroom, as_user) -> Uploader:
    """Ben, with an upload of three parts open."""
    made = Uploader(as_user(ben), classroom, bytes(range(256)) * (PART[store.name] * 2 // 256) + b"the rest")
    assert made.open().status_code == 201
    return made


@pytest.fixture
def recorder(store, ben, classroom, as_user) -> Uploader:
    """Ben, recording two parts and a bit."""
    content = bytes(range(256)) * (RECORDED_PART[store.name] * 2 // 256) + b"the rest"
    made = Uploader(as_user(ben), classroom, content, size_bytes=None, mime_type="video/webm;codecs=vp9,opus")
    assert made.open().status_code == 201
    return made


def test_a_file_goes_up_and_becomes_a_video_that_waits_to_be_checked(store, sender, ben, classroom):
    opened = sender.open()
    assert opened.status_code == 201, opened.content
    assert opened["Cache-Control"] == "no-store"
    assert sender.send(1).status_code == 200
    done = sender.complete(sha256=hashlib.sha256(sender.content).hexdigest())
    assert done.status_code == 201, done.content
    video = VideoAsset.objects.get()
    assert done.json()["video"] == {"id": str(video.pk), "state": "checking", "failure": ""}
    assert (video.size_bytes, video.original_name, video.owner, video.classroom) == (
        len(sender.content), "dance.mp4", ben, classroom,
    )  # fmt: skip
    assert store.read(video.storage_path) == sender.content
    assert ProcessingJob.objects.get().kind == "verify"
    assert store.leftovers() == []
    assert Upload.objects.get().reserved_bytes == 0


def test_the_checked_video_is_ready_and_the_upload_says_so(sender):
    sender.open()
    sender.send_all()
    sender.complete(sha256=hashlib.sha256(sender.content).hexdigest())
    run_job(job_id=ProcessingJob.objects.get().pk)
    assert sender.look().json()["video"]["state"] == "ready"


def test_another_sha256_than_was_sent_fails_with_a_sentence(sender):
    sender.open()
    sender.send_all()
    assert sender.complete(sha256="0" * 64).status_code == 201
    run_job(job_id=ProcessingJob.objects.get().pk)
    shown = sender.look().json()["video"]
    assert (shown["state"], shown["failure"][:11]) == ("failed", "It is not t")


def test_several_parts_are_signed_in_one_call_and_each_link_brings_its_own(store, long_sender):
    signed = long_sender.sign_all().json()["parts"]
    assert [link["number"] for link in signed] == [1, 2, 3]
    for link in reversed(signed):
        assert long_sender.put(link, long_sender.part(link["number"])).status_code == 200
    assert long_sender.complete().status_code == 201
    assert store.read(VideoAsset.objects.get().storage_path) == long_sender.content


def test_signing_parts_of_a_file_only_reads_and_asks_the_same_however_many_they_are(
    store, long_sender, django_assert_num_queries
):
    long_sender.sign(1)
    wishes = [long_sender.wish(number) for number in (1, 2)]
    for some in (wishes[:1], wishes):
        with django_assert_num_queries(3) as asked:  # session, person, upload
            assert long_sender.post(long_sender.upload["parts_url"], {"parts": some}).status_code == 200
        assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_an_upload_opened_again_says_at_once_what_is_held(long_sender):
    assert long_sender.upload["parts"] == []
    long_sender.send(2)
    assert long_sender.open().json()["parts"] == [{"number": 2, "size_bytes": long_sender.upload["part_size_bytes"]}]


def test_an_upload_that_is_sent_for_a_day_shows_that_it_is_alive(sender):
    sender.open()
    earlier = timezone.now() - timedelta(minutes=6)
    Upload.objects.update(last_activity_at=earlier)
    sender.sign(1)
    assert Upload.objects.get().last_activity_at > earlier


def test_parts_come_in_any_order_and_twice(store, long_sender):
    assert long_sender.upload["part_size_bytes"] == PART[store.name]
    for number in (3, 1, 3, 2, 1):
        assert long_sender.send(number).status_code == 200
    assert long_sender.held() == [1, 2, 3]
    assert long_sender.complete().status_code == 201
    assert store.read(VideoAsset.objects.get().storage_path) == long_sender.content


def test_a_part_sent_again_replaces_what_was_there(store, long_sender):
    wrong = long_sender.content
    long_sender.content = bytes(len(wrong))
    long_sender.send_all()
    long_sender.content = wrong
    long_sender.send_all()
    assert long_sender.complete().status_code == 201
    assert store.read(VideoAsset.objects.get().storage_path) == wrong


def test_a_recording_grows_part_by_part(store, recorder):
    assert recorder.upload["part_size_bytes"] == RECORDED_PART[store.name]
    assert recorder.upload["size_bytes"] is None
    reserved = []
    for number in (1, 2, 3):
        assert recorder.send(number).status_code == 200
        reserved.append(Upload.objects.get().reserved_bytes)
    size = RECORDED_PART[store.name]
    assert reserved == [size, 2 * size, len(recorder.content)]
    assert recorder.complete().status_code == 201
    video = VideoAsset.objects.get()
    assert (store.read(video.storage_path), video.mime_type) == (recorder.content, "video/webm")


def test_the_same_token_is_the_same_upload_with_what_is_held_of_it(sender):
    first = sender.open().json()
    sender.send(1)
    again = sender.open()
    assert (again.status_code, again.json()["id"], Upload.objects.count()) == (200, first["id"], 1)
    assert (first["parts"], again.json()["parts"]) == ([], [{"number": 1, "size_bytes": len(sender.content)}])


def test_the_same_token_of_a_complete_upload_answers_its_video(sender):
    sender.open()
    sender.send_all()
    video = sender.complete().json()["video"]
    assert sender.open().json()["video"] == video


def test_the_same_token_for_another_file_is_409(sender):
    sender.open()
    answer = sender.open(size_bytes=77)
    assert (answer.status_code, answer.json()["code"]) == (409, "token_reused")


def test_the_same_token_of_somebody_else_is_another_upload(sender, store, dee, classroom, clip, as_user):
    sender.open()
    assert Uploader(as_user(dee), classroom, clip.read_bytes()).open().status_code == 201


def test_an_open_whose_room_was_not_made_goes_on_when_it_is_asked_again(sender):
    sender.open()
    Upload.objects.update(backend_upload_id="")
    assert sender.open().status_code == 200
    assert sender.send(1).status_code == 200


def test_completing_without_every_part_lists_them_and_the_upload_stays_open(long_sender):
    long_sender.send(2)
    answer = long_sender.complete()
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["missing"] == [1, 3]
    assert long_sender.look().json()["state"] == "open"
    long_sender.send_all()
    assert long_sender.complete().status_code == 201


def test_completing_again_answers_the_same_video(sender):
    sender.open()
    sender.send_all()
    first, second = sender.complete(), sender.complete()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["video"] == second.json()["video"]
    assert (VideoAsset.objects.count(), ProcessingJob.objects.count()) == (1, 1)


def test_who_looked_before_another_caller_completed_it_is_answered_the_same_video(sender):
    sender.open()
    sender.send(1)
    late = Upload.objects.get()
    made = sender.complete().json()["video"]["id"]
    video, is_mine = complete_upload(upload=late, size_bytes=len(sender.content), sha256="", now=timezone.now())
    assert (str(video.pk), is_mine) == (made, False)


def test_completing_with_another_size_or_sha256_is_409(sender):
    sender.open()
    sender.send_all()
    assert sender.complete(size_bytes=5).json()["code"] == "other_size"
    assert sender.complete(sha256="a" * 64).status_code == 201
    assert sender.complete(sha256="b" * 64).json()["code"] == "other_sha256"


def test_a_recording_with_parts_beyond_its_end_is_422(recorder):
    recorder.send_all()
    answer = recorder.complete(size_bytes=recorder.upload["part_size_bytes"])
    assert (answer.status_code, answer.json()["beyond"]) == (422, [2, 3])
    assert recorder.complete().status_code == 201


def test_aborting_removes_the_parts_and_says_so_again(store, long_sender):
    long_sender.send(1)
    assert long_sender.abort().status_code == 204
    assert long_sender.abort().status_code == 204
    assert (store.leftovers(), store.objects()) == ([], [])
    assert long_sender.look().json()["state"] == "aborted"
    assert long_sender.sign(2).status_code == 410
    assert long_sender.complete().status_code == 410
    assert Upload.objects.get().reserved_bytes == 0


def test_aborting_after_completion_is_409_and_deletes_nothing(store, sender):
    sender.open()
    sender.send_all()
    sender.complete()
    assert sender.abort().status_code == 409
    assert store.read(VideoAsset.objects.get().storage_path) == sender.content


def test_after_completion_no_part_is_signed_and_an_old_link_changes_nothing(store, sender):
    sender.open()
    link = sender.sign(1).json()
    sender.send_all()
    sender.complete()
    assert sender.sign(1).status_code == 409
    late = sender.put(link, bytes(len(sender.content)))
    assert late.status_code == 410 if store.name == "local" else late.status_code >= 400  # moto answers 500
    assert store.read(VideoAsset.objects.get().storage_path) == sender.content


def test_every_step_leaves_an_audit_event(sender, ben, classroom):
    sender.open()
    sender.send_all()
    sender.complete()
    sender.fields["client_token"] = "token-0002"
    sender.open()
    sender.abort()
    events = AuditEvent.objects.filter(action__startswith="upload.").order_by("at", "pk")
    actions = ["upload.opened", "upload.completed", "upload.opened", "upload.aborted"]
    assert [event.action for event in events] == actions
    assert not events.exclude(actor=ben, classroom=classroom).exists()


def test_somebody_elses_upload_is_404_as_if_it_did_not_exist(sender, dee, ada, cyd, staff, as_user):
    sender.open()
    url = sender.upload["url"]
    for person in (dee, ada, cyd):
        client = as_user(person)
        answers = [client.get(url), client.delete(url)]
        for path in (f"{url}parts/1/", f"{url}completion/"):
            answers.append(client.post(path, {"size_bytes": 1}, content_type="application/json"))
        assert {answer.status_code for answer in answers} == {404}
    assert as_user(staff).get(url).status_code == 404
    assert as_user(staff).delete(url).status_code == 204


def test_who_left_the_class_cannot_go_on(sender, ben):
    sender.open()
    ben.memberships.all().delete()
    assert sender.sign(1).status_code == 404


def test_a_class_one_is_not_in_is_404(store, cyd, staff, classroom, clip, as_user):
    for person in (cyd, staff):
        assert Uploader(as_user(person), classroom, clip.read_bytes()).open().status_code == 404


def test_anonymous_is_401_before_the_token_and_logged_in_without_one_is_403(sender, ben):
    sender.open()
    url = sender.upload["url"]
    calls = [("post", UPLOADS), ("post", f"{url}parts/1/"), ("post", f"{url}completion/"), ("delete", url)]
    anonymous, member = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    member.force_login(ben, backend="allauth.account.auth_backends.AuthenticationBackend")
    for method, path in calls:
        for client, status in ((anonymous, 401), (member, 403)):
            answer = getattr(client, method)(path, {}, content_type="application/json")
            assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), path
    assert anonymous.get(url).status_code == 401
    assert member.get(url).status_code == 200


def test_a_token_in_the_header_is_enough(sender, ben, classroom):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ben, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/accounts/profile/")
    token = client.cookies["csrftoken"].value
    sent = {**sender.fields, "client_token": "token-0003"}
    answer = client.post(UPLOADS, sent, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201, answer.content


@pytest.mark.one_stack("development", why="changes a bucket of its own behind the site")
def test_a_bucket_that_knows_neither_upload_nor_object_is_asked_again_before_the_video_is_called_lost(
    s3_store, s3_storage, ben, classroom, clip, as_user
):
    sender = Uploader(as_user(ben), classroom, clip.read_bytes())
    sender.open()
    upload = Upload.objects.get()
    named = {"Bucket": s3_storage.bucket_name, "Key": upload.storage_path}
    s3_storage.client.abort_multipart_upload(**named, UploadId=upload.backend_upload_id)
    Upload.objects.update(state="completing")
    waiting = sender.complete()
    assert (waiting.status_code, int(waiting["Retry-After"]) > 0) == (503, True)
    s3_storage.client.put_object(**named, Body=sender.content)
    assert sender.complete().status_code == 201
    s3_storage.client.delete_object(**named)
    Upload.objects.update(state="completing", video=None, last_activity_at=timezone.now() - timedelta(hours=1))
    assert sender.complete().status_code == 410
