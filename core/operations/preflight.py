"""What must hold before the site starts, asked from where it will run: settings, storage, database, codecs."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks as system_checks
from django.core.checks.security.base import check_secret_key, check_secret_key_fallbacks
from django.db import Error as DatabaseError
from django.db import connection
from django.template.defaultfilters import pluralize

from core.operations.findings import Check, CouldNotTell, Failed, Finding, find_all
from core.operations.tables import bytes_text
from core.second_cache import SECOND_CACHE, SecondCacheAway
from core.services import components
from core.services.one_folder import MOVE_ON, AnotherFolder, check_one_folder
from core.services.queue_stats import queue_stats
from core.services.storage import VideoStorageService
from core.storage.base import StorageFull, StorageUnavailable

ENCODERS = ("libx264", "aac")
SHOWN_CHARACTERS = 160


def preflight(*, timeout_s: float = 20.0) -> list[Finding]:
    """Return a finding for each thing the site needs; none waits for another, all end within `timeout_s`."""
    return find_all(CHECKS, timeout_s=timeout_s)


def settings_hold() -> str:
    """Return how many warnings Django's and our system checks have; raise Failed for the first error."""
    messages = system_checks.run_checks(include_deployment_checks=settings.PRODUCTION)
    errors = [message for message in messages if message.is_serious() and not message.is_silenced()]
    if errors:
        raise Failed(f"{errors[0].id}: {errors[0].msg} ({len(errors)} in all)", errors[0].hint or "manage.py check")
    warnings = f", {len(messages)} warning{pluralize(messages)}: manage.py check --deploy" if messages else ""
    return f"{settings.ENVIRONMENT}, debug {'on' if settings.DEBUG else 'off'}{warnings}"


def key_is_strong() -> str:
    """Return the key's length; raise Failed when Django calls it, or an old one, weak."""
    weak = [*check_secret_key(None), *check_secret_key_fallbacks(None)]
    if weak:
        raise Failed(
            "DJANGO_SECRET_KEY (or a fallback) is short or regular",
            'python -c "import secrets; print(secrets.token_urlsafe(64))"',
        )
    old = len(settings.SECRET_KEY_FALLBACKS)
    return f"{len(settings.SECRET_KEY)} characters" + (f", {old} old kept" if old else "")


def storage_in_effect() -> str:
    """Return the backend that USE_S3 chose, and where it keeps videos; raise Failed when local storage is not one."""
    with suppress(DatabaseError):  # that line says so itself
        try:
            check_one_folder()
        except AnotherFolder as error:
            raise Failed(str(error), MOVE_ON) from error
    name = VideoStorageService().backend.name
    if settings.USE_S3:
        return f"{name}: bucket {settings.AWS_STORAGE_BUCKET_NAME} at {settings.S3_ORIGINS[0]}"
    return f"{name}: {settings.MEDIA_ROOT}"


def storage_round_trip() -> str:
    """Write, read, and delete an object."""
    try:
        components.check_storage()
    except (StorageUnavailable, StorageFull) as error:
        hint = "Check keys, bucket, region, and clock." if settings.USE_S3 else "ls -ld the media folder; df -h."
        raise Failed(error.sentence, hint) from error
    return "written, read, deleted"


def database_answers() -> str:
    """Return which database answered."""
    _asked("Start it, or mend DATABASE_URL (or DJANGO_DB_*).", _connect)
    named = Path(str(connection.settings_dict["NAME"])).name
    return f"{connection.vendor}: {named}"


def migrations_applied() -> str:
    """Raise Failed with the missing ones when the database is behind this release."""
    _asked_of_database("python manage.py migrate", components.check_migrations)
    return "all applied"


def cache_keeps() -> str:
    """Put a value into the cache and get it back."""
    _asked_of_database("It lives in the database: python manage.py migrate.", components.check_first_cache)
    _asked("Start Redis, mend REDIS_URL, or unset it: nothing needs it.", SECOND_CACHE.check)
    return "kept what was put there"


def queue_moves() -> str:
    """Return how much waits; raise Failed when a video has waited too long."""
    _asked_of_database("Start python manage.py worker.", components.check_queue)
    stats = queue_stats()
    return f"{stats.queued} waiting, {stats.workers} worker{pluralize(stats.workers)}"


def codecs_are_here() -> str:
    """Raise Failed when the library that makes videos play everywhere lacks an encoder."""
    missing = [name for name in ENCODERS if not _has_encoder(name)]
    if missing:
        raise Failed(f"missing: {', '.join(missing)}", "Install requirements-v1.txt as it is: its av brings them.")
    return f"{', '.join(ENCODERS)} (av {av.__version__})"


def disk_has_room() -> str:
    """Return the room on the disk that videos come in on; raise Failed when it is nearly full."""
    _asked("Free some space, or name another DJANGO_MEDIA_ROOT.", components.check_disk)
    root = Path(settings.MEDIA_ROOT)
    usage = shutil.disk_usage(next(path for path in (root, *root.parents) if path.exists()))
    return f"{bytes_text(usage.free)} of {bytes_text(usage.total)} free"


def static_is_collected() -> str:
    """Raise Failed when production lacks the hashed names of its static files."""
    try:
        return staticfiles_storage.url("css/base.css")
    except ValueError as error:
        raise Failed("static files are not collected", "python manage.py collectstatic --noinput") from error


CHECKS: dict[str, Check] = {
    "settings": settings_hold,
    "secret key": key_is_strong,
    "storage": storage_in_effect,
    "storage round trip": storage_round_trip,
    "database": database_answers,
    "migrations": migrations_applied,
    "cache": cache_keeps,
    "queue": queue_moves,
    "codecs": codecs_are_here,
    "static files": static_is_collected,
    "disk": disk_has_room,
}


def _asked_of_database(hint: str, check: Callable[[], None]) -> None:
    try:
        components.check_database()
    except DatabaseError as error:  # the line of the database says why, and its advice is the only one
        raise CouldNotTell("the database does not answer") from error
    _asked(hint, check)


def _connect() -> None:
    """Connect without the pool, which only says that it got no connection, never why."""
    alone = connection.copy()
    alone.settings_dict["OPTIONS"].pop("pool", None)
    try:
        with alone.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        alone.close()


def _asked(hint: str, check: Callable[[], None]) -> None:
    try:
        check()
    except (DatabaseError, SecondCacheAway, components.MigrationsUnapplied, components.NotUsable) as error:
        said = str(error).strip().partition("\n")[0]
        short = said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]} …"
        raise Failed(short or type(error).__name__, hint) from error


def _has_encoder(name: str) -> bool:
    try:
        av.codec.Codec(name, "w")
    except ValueError:
        return False
    return True
