"""`python -m core.services.backup_smoke`: this release migrates the database its variables name, and serves from it.

Exit 0 when the log-in page comes out of the restored database; else 1, the reason in the last line. The drill starts it
in a process of its own, whose only database is the scratch one.
"""

import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.exceptions import MigrationSchemaMissing

PAGE = "/accounts/login/"


def main() -> int:
    """Return the exit code."""
    django.setup()
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.test import Client

    loader = MigrationLoader(connection)
    if unknown := sorted(set(loader.applied_migrations) - set(loader.disk_migrations) - _replaced(loader)):
        _say(f"It was made by a newer release, which has the migration {'.'.join(unknown[0])}: install that release.")
        return 1
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except MigrationSchemaMissing as error:
        _say(f"Its migrations cannot be completed: {error}")
        return 1
    host = settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost")
    answer = Client(headers={"host": host}).get(PAGE, secure=True)
    if answer.status_code != 200 or b'name="login"' not in answer.content:
        _say(f"{PAGE} answered {answer.status_code}.")
        return 1
    return 0


def _replaced(loader) -> set[tuple[str, str]]:
    """Return the migrations that squashed ones stand for."""
    return {tuple(old) for migration in loader.disk_migrations.values() for old in migration.replaces}


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main())
