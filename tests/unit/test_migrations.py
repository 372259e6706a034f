"""The release before goes on working on the new schema: it runs while a deployment goes from machine to machine.

What it writes names only the columns it knows. So a column it does not know must fill itself in, none that it knows
may be gone, and a new rule for old columns must be one that it keeps already.
"""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# What release 1.0.0 had applied. When a release is made, its newest migrations come here.
RELEASED = [
    ("accounts", "0001_initial"),
    ("comments", "0001_initial"),
    ("core", "0003_append_only_audit"),
    ("exercises", "0001_initial"),
]
# New rules for old tables that 1.0.0 keeps: a job of its own is never running, its percent and needs are unset, and a
# video of its own is ready or there is none.
KEPT_BY_THE_RELEASE = {
    "job_percent_within_100",
    "job_running_has_lease",
    "job_state_known",
    "video_failed_has_no_bytes",
    "video_need_known",
}


@pytest.fixture(scope="module")
def released():
    """The models as release 1.0.0 knew them."""
    return MigrationLoader(None, ignore_no_migrations=True).project_state(RELEASED).apps.get_models()


@pytest.fixture
def columns(db):
    """Return a function: the columns of a table as the database has them now, name → whether it fills itself in."""

    def of(table):
        with connection.cursor() as cursor:
            described = connection.introspection.get_table_description(cursor, table)
        return {column.name: column.null_ok or column.default is not None for column in described}

    return of


def test_what_the_release_before_reads_and_writes_is_still_there(released, columns):
    for model in released:
        known = {field.column for field in model._meta.local_concrete_fields}
        assert known <= columns(model._meta.db_table).keys(), model._meta.label


def test_what_the_release_before_does_not_know_fills_itself_in(released, columns):
    missing = [
        f"{model._meta.db_table}.{name}: give the field a db_default, or null=True"
        for model in released
        for name, fills_itself in columns(model._meta.db_table).items()
        if not fills_itself and name not in {field.column for field in model._meta.local_concrete_fields}
    ]
    assert missing == []


def test_new_rules_for_its_tables_are_rules_that_the_release_before_keeps(released, db):
    state = MigrationLoader(None, ignore_no_migrations=True).project_state().apps
    new = {
        constraint.name
        for model in released
        for constraint in state.get_model(model._meta.label)._meta.constraints
        if constraint.name not in {old.name for old in model._meta.constraints}
    }
    assert new <= KEPT_BY_THE_RELEASE


def test_the_release_before_writes_to_the_new_schema(released, db):
    models = {model._meta.label: model for model in released}
    ada = models["accounts.User"].objects.create(email="ada@example.org", name="Ada", password="!")
    classroom = models["accounts.Classroom"].objects.create(name="Tuesday dance")
    models["accounts.Membership"].objects.create(user=ada, classroom=classroom, role="instructor")
    video = models["core.VideoAsset"].objects.create(
        owner=ada, classroom=classroom, storage_path="videos/x", size_bytes=1, mime_type="video/mp4",
        duration_ms=1, width_px=1, height_px=1, frame_rate_num=1, frame_rate_den=1,
        state="ready", created_at=classroom.created_at,
    )  # fmt: skip
    exercise = models["exercises.Exercise"].objects.create(
        classroom=classroom, created_by=ada, name="Arms", reference=video, created_at=classroom.created_at
    )
    models["comments.Comment"].objects.create(target=video, author=ada, text="Look", created_at=classroom.created_at)
    assert models["exercises.Exercise"].objects.select_related("reference").get(pk=exercise.pk).reference == video
