"""Getting in, passwords, sign-up, the profile, and who is in a class as what."""

import re
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client

from accounts.models import Membership, User
from core.models import AuditEvent
from tests import factories

LOGIN, SIGNUP, RESET = "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
NOBODYS = UUID(int=0)
NEW_PASSWORD = "correct-horse-battery-7"
TOKEN = re.compile(r'(csrfmiddlewaretoken" value="|nonce=")[^"]+"')


def log_in(email: str, password: str, client: Client | None = None):
    return (client or Client()).post(LOGIN, {"login": email, "password": password})


def body_of(answer) -> str:
    """Return the page without what differs every time."""
    return TOKEN.sub("", answer.content.decode())


def is_logged_in(client: Client) -> bool:
    return client.get("/accounts/api/me/").status_code == 200


@pytest.mark.parametrize("email", ["ben@example.org", "BEN@Example.org"])
def test_one_logs_in_with_the_address_in_any_case(ben, email):
    client = Client()
    answer = log_in(email, "pass-Ben", client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_logged_in(client)


def test_a_wrong_password_answers_the_same_for_known_and_unknown_addresses(ben):
    known, unknown = log_in("ben@example.org", "wrong"), log_in("zoe@example.org", "wrong")
    assert known.status_code == unknown.status_code
    assert body_of(known).replace("ben@", "zoe@") == body_of(unknown)


@pytest.mark.parametrize(
    ("method", "to", "sender", "back"),
    [
        ("get", "/exercises/?q=arms", "http://testserver/", "/exercises/?q=arms"),
        ("post", f"/videos/{NOBODYS}/comments/", "http://testserver/exercises/1/?loop=0-5#c", "/exercises/1/?loop=0-5"),
        ("post", f"/attempts/{NOBODYS}/submit/", "http://testserver/attempts/1/", "/attempts/1/"),
        ("post", f"/attempts/{NOBODYS}/submit/", "https://example.org/attempts/1/", "/"),
        ("post", f"/attempts/{NOBODYS}/submit/", "", "/"),
    ],
)
def test_whoever_must_log_in_first_is_led_back_to_the_page_with_the_form(db, method, to, sender, back):
    answer = getattr(Client(), method)(to, headers={"Referer": sender})
    assert answer["Location"] == f"{LOGIN}?next={quote(back)}"


@pytest.mark.parametrize("path", [LOGIN, SIGNUP, RESET, "/accounts/email/", "/accounts/password/change/"])
def test_a_form_about_the_account_is_named_as_the_rest_of_the_site_is(ben, as_user, settings, path):
    settings.ALLOW_SIGNUP = True
    client = as_user(ben) if path not in {LOGIN, SIGNUP, RESET} else Client()
    page = client.get(path).content.decode()
    assert re.findall(r">(Email|[A-Z][a-z]+ Password)|placeholder=|\(again\)", page) == []
    assert re.search(r">(E-mail address|Current password)</label>", page)


def test_logging_in_gives_the_session_a_new_key_and_logging_out_ends_it(ben):
    client = Client()
    client.get(LOGIN)
    client.cookies["sessionid"] = "fixed-by-somebody-else-000000000"
    log_in("ben@example.org", "pass-Ben", client)
    key = client.cookies["sessionid"].value
    assert key != "fixed-by-somebody-else-000000000"
    client.post("/accounts/logout/")
    replayed = Client()
    replayed.cookies["sessionid"] = key
    assert not is_logged_in(replayed)


def test_pages_are_for_ones_own_browser_and_a_log_out_has_it_forget_them(ben, as_user):
    client = as_user(ben)
    page = client.get("/exercises/")
    assert page["Cache-Control"] == "private, no-cache"
    assert "Clear-Site-Data" not in page
    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in client.get("/accounts/login/")


def test_an_account_that_may_not_log_in_does_not(ben):
    client = Client()
    User.objects.filter(pk=ben.pk).update(is_active=False)
    log_in("ben@example.org", "pass-Ben", client)
    assert not is_logged_in(client)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_logging_in_never_leads_to_another_site(ben, url):
    answer = Client().post(LOGIN, {"login": "ben@example.org", "password": "pass-Ben", "next": url})
    assert answer.get("Location", "/") == "/"


def test_sign_up_is_closed_unless_the_operator_opens_it(db):
    sent = {"name": "Eve", "email": "eve@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert "Accounts are made for you" in Client().get(SIGNUP).content.decode()
    assert "Accounts are made for you" in Client().post(SIGNUP, sent).content.decode()
    assert not User.objects.exists()


def test_open_sign_up_makes_an_unverified_account_without_a_role(db, settings):
    settings.ALLOW_SIGNUP = True
    sent = {"name": "Eve", "email": "eve@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    forged = {**sent, "is_staff": "on", "is_superuser": "on", "role": "instructor"}
    assert Client().post(SIGNUP, forged).status_code == 302
    eve = User.objects.get()
    assert (eve.name, eve.is_staff, eve.is_superuser, eve.memberships.count()) == ("Eve", False, False, 0)
    assert not EmailAddress.objects.get().verified
    assert [message.to for message in mail.outbox] == [["eve@example.org"]]
    client = Client()
    log_in("eve@example.org", NEW_PASSWORD, client)
    assert not is_logged_in(client)


def test_sign_up_does_not_tell_whether_an_address_has_an_account(ben, settings):
    settings.ALLOW_SIGNUP = True
    answers = []
    for email in ("ben@example.org", "eve@example.org"):
        sent = {"name": "Eve", "email": email, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        answer = Client().post(SIGNUP, sent)
        answers.append((answer.status_code, answer.get("Location"), body_of(answer)))
    assert answers[0] == answers[1]


def test_a_forgotten_password_is_reset_by_mail(ben):
    assert Client().post(RESET, {"email": "ben@example.org"}).status_code == 302
    (message,) = mail.outbox
    assert message.to == ["ben@example.org"]
    link = urlsplit(re.search(r"https?://\S+/password/reset/key/\S+", message.body)[0]).path
    set_password_and_log_in(link)


def test_a_password_that_was_reset_is_told_once_and_leads_to_the_log_in(ben):
    client = Client()
    client.post(RESET, {"email": "ben@example.org"})
    link = urlsplit(re.search(r"https?://\S+/password/reset/key/\S+", mail.outbox[0].body)[0]).path
    form = client.get(link)["Location"]
    page = main_of(client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}, follow=True))
    assert len(re.findall("(?i)password .{0,14}changed", page)) == 1
    assert f'href="{LOGIN}">Log in' in page
    assert "changed" not in main_of(client.get(LOGIN))


def test_a_refused_form_says_that_text_is_kept_only_where_some_was_typed(ada, ben, exercise, as_user):
    empty = as_user(ben).post("/accounts/password/change/", {}).content.decode()
    assert "Something needs another look." in empty
    assert "is kept" not in empty
    path, sent = f"/exercises/{exercise.pk}/edit/", {"name": "", "description": "Look at the elbow"}
    assert "Your text is kept." in as_user(ada).post(path, sent).content.decode()


def test_resetting_answers_the_same_for_an_unknown_address_and_sends_nothing(ben):
    known = Client().post(RESET, {"email": "ben@example.org"}, follow=True)
    mail.outbox.clear()
    unknown = Client().post(RESET, {"email": "zoe@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert body_of(known) == body_of(unknown)
    assert mail.outbox == []


def test_staff_copy_a_link_with_which_a_person_sets_a_password_once(staff, as_user, settings):
    new = User.objects.create_user("new@example.org", name="New")
    sent = {"action": "make_password_links", "_selected_action": [str(new.pk)]}
    page = as_user(staff).post("/admin/accounts/user/", sent, follow=True).content.decode()
    link = re.search(rf'<a href="{re.escape(settings.BASE_URL)}(/accounts/password/reset/key/[^"]+)">', page)[1]
    assert AuditEvent.objects.get(action="user.password_link_made").object_id == str(new.pk)
    set_password_and_log_in(link, "new@example.org")
    assert "csrfmiddlewaretoken" not in main_of(Client().get(link, follow=True))


def set_password_and_log_in(link: str, email: str = "ben@example.org") -> None:
    client = Client()
    form = client.get(link)
    assert form.status_code == 302
    answer = client.post(form["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert answer.status_code == 302, answer.content
    other = Client()
    log_in(email, NEW_PASSWORD, other)
    assert is_logged_in(other)


def main_of(answer) -> str:
    return answer.content.decode().partition("<main")[2]


def test_createsuperuser_without_questions_makes_an_account_that_can_log_in(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW_PASSWORD)
    call_command("createsuperuser", "--noinput", email="Root@Example.org", name="Root", verbosity=0)
    assert EmailAddress.objects.get(verified=True, primary=True).email == "root@example.org"
    client = Client()
    log_in("root@example.org", NEW_PASSWORD, client)
    assert client.get("/admin/").status_code == 200


def test_the_profile_changes_what_it_shows_and_nothing_else(ben, as_user):
    sent = {"name": "Benny", "time_zone": "Europe/Paris", "language": "en"}
    forged = {**sent, "email": "ada@example.org", "is_staff": "on", "is_superuser": "on", "is_active": ""}
    assert as_user(ben).post("/accounts/profile/", forged).status_code == 302
    ben.refresh_from_db()
    assert (ben.name, ben.time_zone) == ("Benny", "Europe/Paris")
    assert (ben.email, ben.is_staff, ben.is_superuser, ben.is_active) == ("ben@example.org", False, False, True)


def test_the_profile_asks_for_no_language_while_there_is_one(ben, as_user):
    page = as_user(ben).get("/accounts/profile/").content.decode()
    assert "Time zone" in page
    assert "Language" not in page
    as_user(ben).post("/accounts/profile/", {"name": "Ben", "time_zone": "UTC", "language": "xx"})
    ben.refresh_from_db()
    assert ben.language == "en"


@pytest.mark.parametrize("sent", [{"name": ""}, {"time_zone": "Mars/Base"}, {"name": "a" * 81}])
def test_a_profile_that_makes_no_sense_is_422_and_not_saved(sent, ben, as_user):
    answer = as_user(ben).post("/accounts/profile/", {"name": "B", "time_zone": "UTC", "language": "en", **sent})
    assert answer.status_code == 422
    ben.refresh_from_db()
    assert ben.name == "Ben"


def test_me_says_who_one_is(ben, classroom, as_user):
    answer = as_user(ben).get("/accounts/api/me/").json()
    assert answer["email"] == "ben@example.org"
    assert answer["classes"] == [{"id": str(classroom.pk), "name": "Tuesday dance", "role": "learner"}]


def test_an_instructor_gives_a_role_and_it_is_written_down(ada, ben, classroom, as_user):
    membership = Membership.objects.get(user=ben)
    as_user(ada).post(f"/members/{membership.pk}/role/", {"role": "instructor"})
    membership.refresh_from_db()
    assert membership.role == "instructor"
    event = AuditEvent.objects.get(action="membership.role_changed")
    assert (event.actor, event.detail) == (ada, {"user": str(ben.pk), "role": "instructor"})


def test_the_last_instructor_is_neither_demoted_nor_removed(ada, ben, classroom, as_user):
    mine = Membership.objects.get(user=ada)
    teacher = as_user(ada)
    for path, sent in (("role", {"role": "learner"}), ("removal", {})):
        page = teacher.post(f"/members/{mine.pk}/{path}/", sent, follow=True)
        assert "A class needs an instructor" in page.content.decode()
    mine.refresh_from_db()
    assert mine.role == "instructor"


def test_one_of_two_instructors_may_leave_and_is_outside_at_once(ada, ben, classroom, exercise, as_user):
    Membership.objects.filter(user=ben).update(role="instructor")
    teacher = as_user(ada)
    teacher.post(f"/members/{Membership.objects.get(user=ada).pk}/removal/")
    assert not Membership.objects.filter(user=ada).exists()
    assert teacher.get(f"/exercises/{exercise.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"email": "zoe@example.org", "role": "learner"}, "Nobody here has the address zoe@example.org"),
        ({"email": "ben@example.org", "role": "instructor"}, "in the class already"),
        ({"email": "cyd@example.org", "role": "owner"}, "Select a valid choice"),
    ],
)
def test_adding_somebody_unknown_twice_or_as_nothing_known_is_422(sent, said, ada, cyd, classroom, as_user):
    answer = as_user(ada).post(f"/classes/{classroom.pk}/members/", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Membership.objects.filter(user__email=sent["email"], role=sent["role"]).count() == 0


def test_a_role_is_given_by_address_to_somebody_who_has_an_account(ada, cyd, classroom, as_user):
    as_user(ada).post(f"/classes/{classroom.pk}/members/", {"email": "CYD@example.org", "role": "learner"})
    assert Membership.objects.get(user=cyd).role == "learner"


def test_two_accounts_never_share_an_address_in_another_case(ben):
    with pytest.raises(IntegrityError):
        User.objects.create(email="BEN@example.org", name="Other")


def test_an_account_made_by_staff_is_verified(db):
    made = factories.person("Eve")
    assert EmailAddress.objects.get(user=made).verified
