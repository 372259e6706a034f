"""The main job over HTTP: publish, attempt, submit, comment, answer, try again."""

from accounts.models import User
from core.models import VideoAsset
from exercises.models import Attempt, Exercise
from tests import factories


def test_an_instructor_publishes_and_a_learner_passes_on_the_second_try(
    ada, ben, classroom, clip, as_user, django_capture_on_commit_callbacks
):
    teacher, learner = as_user(ada), as_user(ben)

    sent = {"name": "Arms", "description": "Up", "review_mode": "private", "classroom": classroom.pk}
    answer = teacher.post("/exercises/create/", {**sent, "video": factories.upload_file(clip)})
    exercise = Exercise.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/exercises/{exercise.pk}/"
    assert learner.get(f"/exercises/{exercise.pk}/").status_code == 404

    teacher.post(f"/exercises/{exercise.pk}/publish/")
    assert "Arms" in learner.get("/").content.decode()

    for verdict in ("redo", "passed"):
        answer = learner.post(f"/exercises/{exercise.pk}/attempts/", {"video": factories.upload_file(clip)})
        attempt = Attempt.objects.get(state="draft")
        assert answer["Location"] == f"/attempts/{attempt.pk}/"
        assert teacher.get(f"/attempts/{attempt.pk}/").status_code == 404
        learner.post(f"/attempts/{attempt.pk}/submit/")
        assert str(attempt.pk) in teacher.get("/queue/").content.decode()
        page = teacher.get(f"/attempts/{attempt.pk}/")
        assert page.status_code == 200
        answer = teacher.post(
            f"/videos/{attempt.video_id}/comments/",
            {"text": "Elbow higher", "at_ms": "400", "next": f"/attempts/{attempt.pk}/"},
        )
        assert answer["Location"].startswith(f"/attempts/{attempt.pk}/#comment-")
        teacher.post(f"/attempts/{attempt.pk}/review/", {"verdict": verdict})
        attempt.refresh_from_db()
        assert attempt.state == verdict
        assert "Elbow higher" in learner.get(f"/attempts/{attempt.pk}/").content.decode()

    assert list(Attempt.objects.order_by("number").values_list("number", "state")) == [
        (1, "redo"),
        (2, "passed"),
    ]


def test_a_withdrawn_attempt_is_the_learners_alone_again(ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    as_user(ben).post(f"/attempts/{attempt.pk}/withdraw/")
    attempt.refresh_from_db()
    assert attempt.state == "draft"
    assert as_user(ada).get(f"/attempts/{attempt.pk}/").status_code == 404
    assert as_user(ada).get(f"/core/videos/{attempt.video_id}/stream/").status_code == 404


def test_replacing_the_reference_keeps_what_an_attempt_answered(ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    old = exercise.reference
    as_user(ada).post(f"/exercises/{exercise.pk}/video/", {"video": factories.upload_file(clip)})
    exercise.refresh_from_db()
    attempt.refresh_from_db()
    assert exercise.reference_id != old.pk
    assert attempt.reference_id == old.pk


def test_an_exercise_with_attempts_is_archived_and_one_without_is_deleted(ada, ben, classroom, exercise, clip, as_user):
    factories.attempt(exercise, ben, clip, submitted=True)
    other = factories.exercise(classroom, ada, clip, name="Other")
    for one in (exercise, other):
        as_user(ada).post(f"/exercises/{one.pk}/delete/")
    assert list(Exercise.objects.values_list("name", "state")) == [("Arms on eight counts", "archived")]


def test_deleting_an_exercise_removes_its_objects_after_the_commit(
    ada, classroom, clip, as_user, objects, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        made = factories.exercise(classroom, ada, clip)
        assert len(objects()) == 2
        as_user(ada).post(f"/exercises/{made.pk}/delete/")
    assert not VideoAsset.objects.exists()
    assert objects() == []


def test_a_draft_can_be_replaced_and_deleted(ben, exercise, clip, as_user):
    learner = as_user(ben)
    url = f"/exercises/{exercise.pk}/attempts/"
    for _ in range(2):
        learner.post(url, {"video": factories.upload_file(clip)})
    attempt = Attempt.objects.get()
    assert VideoAsset.objects.filter(owner=ben).count() == 1
    assert learner.post(f"/attempts/{attempt.pk}/delete/")["Location"] == f"/exercises/{exercise.pk}/"
    assert not Attempt.objects.exists()
    assert not VideoAsset.objects.filter(owner=ben).exists()


def test_a_submitted_attempt_must_be_withdrawn_before_another_is_sent(ben, exercise, clip, as_user):
    factories.attempt(exercise, ben, clip, submitted=True)
    answer = as_user(ben).post(f"/exercises/{exercise.pk}/attempts/", {"video": factories.upload_file(clip)})
    assert answer.status_code == 422
    assert "waits for review" in answer.content.decode()
    assert Attempt.objects.count() == 1


def test_every_page_of_the_site_answers(ada: User, ben: User, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    pages = [
        "/",
        "/exercises/",
        "/exercises/?q=arms&state=to+do",
        "/exercises/create/",
        f"/exercises/{exercise.pk}/",
        f"/exercises/{exercise.pk}/edit/",
        f"/exercises/{exercise.pk}/video/",
        f"/exercises/{exercise.pk}/delete/",
        f"/attempts/{attempt.pk}/",
        "/queue/",
        "/classes/",
        f"/classes/{exercise.classroom_id}/",
        "/accounts/profile/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/logout/",
    ]
    client = as_user(ada)
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_another_window_cannot_submit_a_video_that_its_page_did_not_show(ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip)
    seen = str(attempt.video_id)
    factories.attempt(exercise, ben, clip)
    answer = as_user(ben).post(f"/attempts/{attempt.pk}/submit/", {"video": seen}, follow=True)
    attempt.refresh_from_db()
    assert (attempt.state, "another video now" in answer.content.decode()) == ("draft", True)
    as_user(ben).post(f"/attempts/{attempt.pk}/submit/", {"video": str(attempt.video_id)})
    attempt.refresh_from_db()
    assert attempt.state == "submitted"


def test_an_attempt_stays_readable_after_its_exercise_was_taken_back(ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    as_user(ada).post(f"/exercises/{exercise.pk}/unpublish/")
    page = as_user(ben).get(f"/attempts/{attempt.pk}/").content.decode()
    assert "taken this exercise back" in page
    assert f"/core/videos/{attempt.video_id}/stream/" in page
    assert f"/core/videos/{exercise.reference_id}/" not in page
    assert f'href="/exercises/{exercise.pk}/"' not in page


def test_a_reviewer_is_told_that_the_attempt_was_taken_back(ada, ben, exercise, clip, as_user):
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    as_user(ben).post(f"/attempts/{attempt.pk}/withdraw/")
    answer = as_user(ada).post(f"/attempts/{attempt.pk}/review/", {"verdict": "passed"}, follow=True)
    assert "taken this attempt back" in answer.content.decode()


def test_the_class_page_says_when_somebody_was_here(ada, ben, classroom, as_user):
    as_user(ben).get("/")
    page = as_user(ada).get(f"/classes/{classroom.pk}/").content.decode()
    assert (page.count("not here yet"), "here <time" in page) == (1, True)
