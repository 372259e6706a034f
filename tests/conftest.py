"""What every test may use: the cast, a class, real videos, and media in a folder of its own."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Classroom, Membership, User
from core.media.clips import write_clip
from exercises.models import Exercise
from tests import factories

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in this thread


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
