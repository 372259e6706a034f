"""People, exercises, attempts, and comments for tests, made by the same services the site uses."""

import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Classroom, User
from core.media.facts import VideoFacts
from core.models import Upload, VideoAsset
from core.received import ReceivedVideo
from core.services import videos
from core.services.processing import queue_verification
from core.services.storage import VideoStorageService
from exercises.models import Attempt, Exercise
from exercises.services.attempts import save_attempt, submit_attempt
from exercises.services.exercises import create_exercise, publish_exercise


def person(name: str, **fields: Any) -> User:
    """Return an account with a verified address and the password "pass-<name>"."""
    return User.objects.create_user(f"{name.lower()}@example.org", f"pass-{name}", name=name, **fields)


def received(clip: Path, name: str = "clip.mp4") -> ReceivedVideo:
    """Return a copy of a video as if it had just been uploaded."""
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    path = settings.INCOMING_ROOT / str(uuid.uuid4())
    shutil.copyfile(clip, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ReceivedVideo(
        path=path, name=name, content_type="video/mp4", size=path.stat().st_size, checksum_sha256=digest
    )


def store_instead(storage_path: str, content: bytes) -> None:
    """Store other bytes under a key, which the backends themselves refuse to do."""
    backend = VideoStorageService().backend
    backend.delete(storage_path)
    settings.INCOMING_ROOT.mkdir(parents=True, exist_ok=True)
    file = settings.INCOMING_ROOT / str(uuid.uuid4())
    file.write_bytes(content)
    backend.adopt(file, storage_path, mime_type="video/mp4")


def upload_file(clip: Path, name: str = "clip.mp4") -> SimpleUploadedFile:
    """Return a video as the test client sends it."""
    return SimpleUploadedFile(name, clip.read_bytes(), content_type="video/mp4")


def exercise(classroom: Classroom, by: User, clip: Path, *, published: bool = False, **fields: Any) -> Exercise:
    """Return an exercise with a real reference video."""
    fields.setdefault("name", "Arms on eight counts")
    with _inspected_once():
        made = create_exercise(video=received(clip), classroom=classroom, by=by, now=timezone.now(), **fields)
    if published:
        publish_exercise(exercise=made, by=by, now=timezone.now())
    return made


def copies(exercise: Exercise, classroom: Classroom, number: int, **fields: Any) -> list[Exercise]:
    """Publish copies of an exercise in a class, named "<class> 0" and so on, each a minute older than the last."""
    now = timezone.now()
    return Exercise.objects.bulk_create(
        Exercise(
            classroom=classroom, created_by=exercise.created_by, name=f"{classroom} {index}", state="published",
            reference=exercise.reference, created_at=now - timedelta(minutes=index + 1), **fields,
        )
        for index in range(number)
    )  # fmt: skip


def attempt(exercise: Exercise, learner: User, clip: Path, *, submitted: bool = False) -> Attempt:
    """Return an attempt with a real video."""
    with _inspected_once():
        made = save_attempt(exercise=exercise, learner=learner, video=received(clip, "my-try.mp4"), now=timezone.now())
    if submitted:
        submit_attempt(attempt=made, now=timezone.now())
    return made


def uploaded(owner: User, classroom: Classroom, path: Path, **fields: Any) -> VideoAsset:
    """Return a video as it is when the last of its parts has come: stored, not looked into."""
    now = timezone.now()
    with path.open("rb") as file:
        key = VideoStorageService().upload_video(file, path.name)
    video = VideoAsset.objects.create(
        owner=owner, classroom=classroom, storage_path=key, size_bytes=path.stat().st_size, mime_type="video/mp4",
        original_name=path.name, created_at=now,
    )  # fmt: skip
    Upload.objects.create(
        owner=owner, classroom=classroom, client_token=key, storage_path=key, backend="local", state="complete",
        video=video, created_at=now, last_activity_at=now, **fields,
    )  # fmt: skip
    queue_verification(video=video, now=now)
    return video


_SEEN: dict[bytes, tuple[VideoFacts, bytes]] = {}


@contextmanager
def _inspected_once() -> Iterator[None]:
    """Inspect each content once in this process, really; the same bytes have the same facts and poster afterwards."""
    inspect = videos.inspect_video

    def inspect_once(path: Path, *, poster: Path) -> VideoFacts:
        content = path.read_bytes()
        if content not in _SEEN:
            facts = inspect(path, poster=poster)
            _SEEN[content] = facts, poster.read_bytes()
        facts, picture = _SEEN[content]
        poster.write_bytes(picture)
        return facts

    with patch.object(videos, "inspect_video", inspect_once):
        yield
