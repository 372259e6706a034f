"""The admin site: every model's pages answer, and what only services write is not changed there."""

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from comments.services import write_comment
from core.models import ScheduledRun, StorageDeletion, Worker
from tests import factories

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = {"accounts", "comments", "core", "exercises"}


@pytest.fixture
def filled(ada, ben, exercise, clip):
    """A row or more of what people make, and of what runs by itself."""
    attempt = factories.attempt(exercise, ben, clip, submitted=True)
    write_comment(target=attempt.video, author=ada, text="Elbow", now=timezone.now())
    StorageDeletion.objects.create(storage_path="videos/2026/01/x", requested_at=timezone.now())
    ScheduledRun.objects.create(name="prune_uploads")
    Worker.objects.create(name="one", started_at=timezone.now(), seen_at=timezone.now())


def page(model, kind: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


def test_every_model_of_ours_is_in_the_admin_site():
    from django.apps import apps

    ours = {model for label in OURS for model in apps.get_app_config(label).get_models()}
    assert ours <= set(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_pages_of_a_model_answer(model, filled, staff, as_user):
    client = as_user(staff)
    assert client.get(page(model, "changelist")).status_code == 200
    assert client.get(page(model, "changelist"), {"q": "a\0<b>"}).status_code in {200, 302}
    request = RequestFactory().get("/")
    request.user = staff
    expected = 200 if admin.site._registry[model].has_add_permission(request) else 403
    assert client.get(page(model, "add")).status_code == expected
    if (row := model._default_manager.first()) is not None:
        assert client.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("sent", ["no-key", "\0", "1e3", "<b>", "00000000-0000-4000-8000-000000000000", ""])
def test_a_membership_of_what_is_no_person_and_no_class_is_asked_for_again(sent, staff, as_user):
    answer = as_user(staff).post(
        "/admin/accounts/membership/add/", {"user": sent, "classroom": sent, "role": "learner"}
    )
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {"user", "classroom"}


def test_the_front_page_of_the_admin_site_answers(staff, as_user):
    assert as_user(staff).get("/admin/").status_code == 200


@pytest.mark.parametrize("name", ["ben", "cyd"])
def test_nobody_else_gets_in(name, classroom, as_user, request):
    assert as_user(request.getfixturevalue(name)).get("/admin/").status_code in {302, 403}


def test_its_log_in_is_the_sites_own(client, db):
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")


def test_an_account_made_there_has_a_verified_address(staff, as_user):
    sent = {"email": "New@example.org", "name": "New", "usable_password": "false"}
    answer = as_user(staff).post("/admin/accounts/user/add/", sent)
    assert answer.status_code == 302, answer.content.decode()[:5000]
    made = User.objects.get(email__iexact="new@example.org")
    assert not made.has_usable_password()
    assert made.emailaddress_set.get().verified


@pytest.mark.parametrize("label", ["core.videoasset", "core.auditevent", "exercises.exercise", "comments.comment"])
def test_what_services_write_is_neither_changed_nor_deleted_there(label, filled, staff, as_user):
    from django.apps import apps

    model = apps.get_model(label)
    row = model._default_manager.first()
    client = as_user(staff)
    assert client.post(page(model, "change", row.pk), {"name": "x"}).status_code == 403
    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()
