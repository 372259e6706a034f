"""Comments: at a moment, answered, changed, deleted, and seen by whoever sees the video."""

import html
import re
import uuid

import pytest
from django.utils import timezone

from accounts.models import Classroom
from comments.forms import CommentForm
from comments.models import Comment
from comments.services import SAID_TWICE
from core.models import VideoAsset
from core.services.videos import attach_video
from tests import factories
from tests.functional.playing import play


@pytest.fixture
def url(exercise) -> str:
    return f"/videos/{exercise.reference_id}/comments/"


def write(client, url, **fields) -> Comment:
    before = set(Comment.objects.values_list("pk", flat=True))
    answer = client.post(url, fields)
    assert answer.status_code == 302, answer.content
    return Comment.objects.exclude(pk__in=before).get()


def test_a_comment_is_shown_with_its_moment_and_leads_back_to_itself(ben, ada, exercise, url, as_user):
    page = f"/exercises/{exercise.pk}/"
    answer = as_user(ben).post(url, {"text": "Elbow", "at_ms": "500", "next": page})
    comment = Comment.objects.get()
    assert (comment.text, comment.at_ms, comment.author) == ("Elbow", 500, ben)
    assert answer["Location"] == f"{page}#comment-{comment.pk}"
    shown = as_user(ada).get(page).content.decode()
    assert "Elbow" in shown
    assert 'data-at-ms="500"' in shown or "0:00" in shown


@pytest.mark.parametrize("at_ms", ["99999999", "-1", "1e3", "9" * 5000, "x"])
def test_a_moment_outside_the_video_is_422(at_ms, ben, url, as_user):
    answer = as_user(ben).post(url, {"text": "Elbow", "at_ms": at_ms})
    assert answer.status_code == 422
    assert "Elbow" in answer.content.decode()
    assert not Comment.objects.exists()


def test_the_end_of_the_video_is_a_moment_of_it(ben, exercise, url, as_user):
    assert write(as_user(ben), url, text="End", at_ms=exercise.reference.duration_ms).at_ms


@pytest.mark.parametrize("text", ["", "  \r\n ", "a" * 5001])
def test_a_comment_that_says_nothing_or_too_much_is_422(text, ben, url, as_user):
    assert as_user(ben).post(url, {"text": text}).status_code == 422
    assert not Comment.objects.exists()


def test_a_reply_stands_below_what_it_answers(ada, ben, exercise, url, as_user):
    first = write(as_user(ben), url, text="Why?")
    reply = write(as_user(ada), url, text="Because", parent=first.pk)
    assert reply.parent == first
    shown = as_user(ben).get(f"/exercises/{exercise.pk}/").content.decode()
    assert shown.index("Why?") < shown.index("Because")


def test_a_reply_to_a_reply_another_video_or_nothing_is_422(ada, ben, classroom, exercise, url, clip, as_user):
    client = as_user(ben)
    reply = write(client, url, text="Because", parent=write(client, url, text="Why?").pk)
    other = factories.exercise(classroom, ada, clip, name="Other", published=True)
    elsewhere = write(client, f"/videos/{other.reference_id}/comments/", text="There")
    for parent in (reply.pk, elsewhere.pk, uuid.uuid4(), "x"):
        assert client.post(url, {"text": "No", "parent": str(parent)}).status_code == 422
    assert Comment.objects.count() == 3


def fields_of(form: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', form))


def test_a_reply_is_written_on_a_page_of_its_own_that_leads_back(ada, ben, exercise, url, as_user):
    page = f"/exercises/{exercise.pk}/?loop=1-2"
    first = write(as_user(ben), url, text="Why?")
    shown = as_user(ada).get(page).content.decode()
    assert shown.count('name="parent"') == 2  # the composer's, and the one form that scripts copy
    link = html.unescape(re.search(r'href="(/comments/[^"]+/reply/[^"]*)"', shown)[1])
    form = as_user(ada).get(link).content.decode()
    assert "Why?" in form
    action = html.unescape(re.search(rf'action="({url}[^"]*)"', form)[1])
    answer = as_user(ada).post(action, fields_of(form) | {"text": "Because"})
    reply = Comment.objects.get(text="Because")
    assert (reply.parent, answer["Location"]) == (first, f"{page}#comment-{reply.pk}")


def test_a_reply_that_is_refused_stays_a_reply_and_keeps_its_words(ada, ben, url, as_user):
    first = write(as_user(ben), url, text="Why the left hand?")
    answer = as_user(ada).post(url, {"text": "So " * 2000, "parent": str(first.pk)})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Reply to Ben" in shown
    assert f'name="parent" value="{first.pk}"' in shown
    assert "So So" in shown
    assert "at most 5000 characters" in shown


def test_a_reply_to_a_comment_that_is_gone_says_so_and_keeps_its_words(ada, ben, url, as_user):
    gone = write(as_user(ben), url, text="Why?")
    as_user(ben).post(f"/comments/{gone.pk}/delete/")
    answer = as_user(ada).post(url, {"text": "Because", "parent": str(gone.pk)})
    assert answer.status_code == 422
    assert "The comment you answer is gone." in answer.content.decode()
    assert "Because" in answer.content.decode()


def test_every_field_of_a_comment_says_how_much_it_takes(ada, ben, exercise, url, as_user):
    first = write(as_user(ben), url, text="Why?")
    for page in (f"/exercises/{exercise.pk}/", f"/comments/{first.pk}/reply/", f"/comments/{first.pk}/edit/"):
        fields = re.findall(r"<textarea[^>]*>", as_user(ben).get(page).content.decode())
        assert fields
        assert all(f'maxlength="{CommentForm.base_fields["text"].max_length}"' in field for field in fields)


def test_a_deleted_comment_is_still_answered_and_a_reply_is_not(ada, ben, url, as_user):
    client = as_user(ben)
    first = write(client, url, text="Something secret")
    reply = write(as_user(ada), url, text="Because", parent=first.pk)
    client.post(f"/comments/{first.pk}/delete/")
    page = client.get(f"/comments/{first.pk}/reply/")
    assert page.status_code == 200
    assert "Something secret" not in page.content.decode()
    assert client.get(f"/comments/{reply.pk}/reply/").status_code == 404


def test_what_is_shown_of_a_comment_follows_it_and_its_reader(ada, ben, dee, classroom, exercise, url, as_user):
    page = f"/exercises/{exercise.pk}/"
    comment = write(as_user(ben), url, text="Elbow <b>")
    write(as_user(dee), url, text="Yes", parent=comment.pk)

    def offered(user) -> tuple[int, int]:
        shown = as_user(user).get(page).content.decode()
        assert "Elbow &lt;b&gt;" in shown
        return shown.count("/edit/?next="), shown.count("/delete/?next=")

    assert [offered(user) for user in (ben, ada, dee, ben)] == [(1, 1), (0, 2), (1, 1), (1, 1)]
    assert "comment--instructor" not in as_user(dee).get(page).content.decode()
    classroom.memberships.filter(user=ben).update(role="instructor")
    assert "comment--instructor" in as_user(dee).get(page).content.decode()
    assert offered(ben) == (1, 2)
    ben.name = "Benjamin"
    ben.save()
    assert "Benjamin" in as_user(dee).get(page).content.decode()
    as_user(ben).post(f"/comments/{comment.pk}/edit/", {"text": "Knee"})
    shown = as_user(dee).get(page).content.decode()
    assert "Elbow" not in shown
    assert "Knee" in shown
    assert "edited" in shown


def test_its_author_alone_edits_a_comment(ada, ben, dee, url, as_user):
    comment = write(as_user(ben), url, text="Elbow")
    assert as_user(ben).post(f"/comments/{comment.pk}/edit/", {"text": "Knee"}).status_code == 302
    for other in (ada, dee):
        assert as_user(other).post(f"/comments/{comment.pk}/edit/", {"text": "Mine"}).status_code == 403
    comment.refresh_from_db()
    assert comment.text == "Knee"
    assert comment.edited_at


def test_changing_and_deleting_a_comment_lead_back_to_where_it_stands(ben, exercise, url, as_user):
    client, page = as_user(ben), f"/exercises/{exercise.pk}/"
    comment = write(client, url, text="Elbow")
    for path in ("edit", "delete"):
        shown = client.get(f"/comments/{comment.pk}/{path}/?next={page}").content.decode()
        assert f'href="{page}#comment-{comment.pk}"' in shown
    edited = client.post(f"/comments/{comment.pk}/edit/", {"text": "Knee", "next": page})
    deleted = client.post(f"/comments/{comment.pk}/delete/", {"next": page})
    assert [edited["Location"], deleted["Location"]] == [f"{page}#comment-{comment.pk}", f"{page}#comments"]


def test_an_edit_to_nothing_is_422(ben, url, as_user):
    comment = write(as_user(ben), url, text="Elbow")
    answer = as_user(ben).post(f"/comments/{comment.pk}/edit/", {"text": " "})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    assert "Your text is kept" not in answer.content.decode()


def test_replies_are_counted_and_what_was_deleted_is_not(ada, ben, exercise, url, as_user):
    def counted() -> str:
        return re.search(r"<h2>Comments(.*?)</h2>", as_user(ada).get(f"/exercises/{exercise.pk}/").content.decode())[1]

    assert counted() == ""
    first = write(as_user(ben), url, text="Why?")
    write(as_user(ada), url, text="Because", parent=first.pk)
    assert ">2<" in counted()
    as_user(ben).post(f"/comments/{first.pk}/delete/")
    assert ">1<" in counted()


def test_replies_stay_is_said_of_a_comment_that_may_have_some(ada, ben, url, as_user):
    first = write(as_user(ben), url, text="Why?")
    reply = write(as_user(ada), url, text="Because", parent=first.pk)
    shown = {one: as_user(ada).get(f"/comments/{one.pk}/delete/").content.decode() for one in (first, reply)}
    assert "Replies to it stay." in shown[first]
    assert "Replies to it stay." not in shown[reply]


def test_an_author_and_an_instructor_delete_and_a_classmate_does_not(ada, ben, dee, url, as_user):
    for by, status, left in ((dee, 403, 1), (ben, 302, 0), (ada, 302, 0)):
        comment = Comment.objects.first() or write(as_user(ben), url, text="Elbow")
        assert as_user(by).post(f"/comments/{comment.pk}/delete/").status_code == status
        assert Comment.objects.count() == left


def test_a_deleted_comment_with_replies_is_blanked_and_they_keep_their_place(ada, ben, exercise, url, as_user):
    client = as_user(ben)
    comment = write(client, url, text="Something secret", at_ms=300)
    write(as_user(ada), url, text="My answer", parent=comment.pk)
    client.post(f"/comments/{comment.pk}/delete/")
    comment.refresh_from_db()
    assert comment.text == ""
    assert comment.deleted_at
    shown = client.get(f"/exercises/{exercise.pk}/").content.decode()
    assert "Something secret" not in shown
    assert "My answer" in shown
    for path in ("edit", "delete"):
        assert client.get(f"/comments/{comment.pk}/{path}/").status_code == 404


def test_a_comment_sent_twice_by_a_double_click_is_one(ben, dee, url, as_user):
    sent = {"text": "Elbow", "at_ms": "500"}
    for _ in range(2):
        assert as_user(ben).post(url, sent).status_code == 302
    assert Comment.objects.count() == 1
    for user, fields in ((dee, sent), (ben, sent | {"at_ms": "600"}), (ben, {"text": "Knee"})):
        write(as_user(user), url, **fields)
    Comment.objects.update(created_at=timezone.now() - SAID_TWICE)
    write(as_user(ben), url, **sent)


def test_a_refused_comment_comes_back_beside_its_video_as_designed(ben, exercise, url, as_user):
    page = as_user(ben).post(url, {"text": ""}).content.decode()
    assert f'id="player-{exercise.reference_id}"' in page
    for name in ("player", "timeline", "thread", "upload", "recorder"):
        assert f"css/{name}." in page


def test_a_comments_video_is_seen_by_whoever_sees_the_target(ada, ben, cyd, dee, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    comment = write(as_user(ada), f"/videos/{attempt.video_id}/comments/", video=factories.upload_file(clip))
    address = f"/core/videos/{comment.video_id}/stream/"
    seen = {user.name: play(as_user(user), address).status_code for user in (ada, ben, cyd, dee)}
    assert seen == {"Ada": 200, "Ben": 200, "Cyd": 404, "Dee": 404}
    as_user(ben).post(f"/attempts/{attempt.pk}/withdraw/")
    assert play(as_user(ben), address).status_code == 200


def test_a_video_is_shown_with_one_of_its_own_class_only(ada, exercise, clip):
    elsewhere = Classroom.objects.create(name="Elsewhere")
    other = factories.exercise(elsewhere, ada, clip)
    with pytest.raises(ValueError, match="of its own class"):
        attach_video(video=other.reference, audience="owner", shown_with=exercise.reference, now=timezone.now())
    other.reference.refresh_from_db()
    assert other.reference.shown_with is None


def test_a_comments_video_is_no_target_of_comments_itself(ada, ben, url, clip, as_user):
    comment = write(as_user(ben), url, video=factories.upload_file(clip))
    assert as_user(ada).post(f"/videos/{comment.video_id}/comments/", {"text": "No"}).status_code == 404


def test_what_is_no_video_is_422_and_the_text_is_still_there(ben, url, as_user, settings, tmp_path):
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(b"no video at all" * 100)
    answer = as_user(ben).post(url, {"text": "Look at this", "video": factories.upload_file(fake)})
    assert answer.status_code == 422
    assert "Look at this" in answer.content.decode()
    assert not Comment.objects.exists()
    assert list(settings.INCOMING_ROOT.iterdir()) == []


def test_deleting_a_comment_deletes_its_video(ben, url, clip, as_user, settings, django_capture_on_commit_callbacks):
    files = set(settings.MEDIA_ROOT.rglob("*"))
    with django_capture_on_commit_callbacks(execute=True):
        comment = write(as_user(ben), url, video=factories.upload_file(clip))
        as_user(ben).post(f"/comments/{comment.pk}/delete/")
    assert not VideoAsset.objects.filter(owner=ben).exists()
    assert {path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()} <= files
