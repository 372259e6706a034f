"""A site of its own in a folder: a real SQLite file, real videos, and commands run on it as operators run them."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.functional.test_server import ROOT, environment

STORE = """
import pathlib
from core.media.clips import write_clip
from accounts.models import Classroom, Membership
from tests import factories
ada, ben = factories.person("Ada"), factories.person("Ben")
classroom = Classroom.objects.create(name="Tuesday dance")
Membership.objects.create(user=ada, classroom=classroom, role="instructor")
Membership.objects.create(user=ben, classroom=classroom, role="learner")
folder = pathlib.Path(FOLDER)
shown = factories.exercise(classroom, ada, write_clip(folder / "1.mp4", seconds=1, size=(160, 90)), published=True)
factories.attempt(shown, ben, write_clip(folder / "2.mp4", seconds=2, size=(160, 90)), submitted=True)
"""

# Runs in every Python that has its folder in PYTHONPATH: kill -9 just before the n-th rename or link.
KILLER = """
import os, sys
left = [int(os.environ.get("KILL_BEFORE_STEP", "0"))]
def hook(event, arguments):
    if event in {"os.rename", "os.link"}:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
if left[0]:
    sys.addaudithook(hook)
"""


class BackupSite:
    """A database, media, and a folder for backups below `folder`."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.database = folder / "db.sqlite3"
        self.media = folder / "media"
        self.backups = folder / "backups"
        self.env = environment(
            DJANGO_DB_NAME=str(self.database),
            DJANGO_MEDIA_ROOT=str(self.media),
            DJANGO_LOG_LEVEL="ERROR",
            PYTHONPATH=str(ROOT),
            PYTHONDONTWRITEBYTECODE="1",
        )
        self.env |= variables

    def store(self) -> "BackupSite":
        """Make people, an exercise and an attempt, each with a video."""
        self.folder.mkdir(parents=True, exist_ok=True)
        assert self.run("migrate", "--verbosity", "0").returncode == 0
        done = self.run("shell", "-c", f"FOLDER = {str(self.folder)!r}\n{STORE}")
        assert done.returncode == 0, done.stderr
        return self

    def copied_to(self, folder: Path, **variables: str) -> "BackupSite":
        """Return the same site in another folder."""
        shutil.copytree(self.folder, folder)
        return BackupSite(folder, **variables)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.env | variables, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def run_until_killed(self, step: int, *arguments: str) -> int:
        """Run a command that is killed just before its `step`-th rename or link; return its exit status."""
        hook = self.folder / "killer"
        hook.mkdir(exist_ok=True)
        (hook / "sitecustomize.py").write_text(KILLER)
        return self.run(*arguments, PYTHONPATH=f"{hook}:{ROOT}", KILL_BEFORE_STEP=str(step)).returncode

    def backup(self, *arguments: str) -> dict:
        done = self.run("backup", "--to", str(self.backups), "--json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def sql(self, statement: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            return database.execute(statement).fetchall()

    def videos(self) -> dict[str, bytes]:
        """Return every stored object, key → bytes."""
        files = (path for path in (self.media / "videos").rglob("*") if path.is_file())
        return {str(path.relative_to(self.media)): path.read_bytes() for path in files}

    def manifests(self) -> list[Path]:
        return sorted(self.backups.glob("backups/*/manifest.json"))


def required(found: object, what: str) -> None:
    """Skip a test whose server is not here; where everything must run (CI), fail instead."""
    import pytest

    if not found:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not on this machine")
