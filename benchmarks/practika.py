"""The site as a benchmark meets it: in production's settings on SQLite, with data, all in one folder."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from servers import MEBIBYTE, manage
from videos import real_video

SITE = "practika_project.wsgi:application"
EMAIL, PASSWORD = "ada@example.org", "practise-at-speed"
SEED = """
import sys
from pathlib import Path
sys.path.append("benchmarks")
from seed import seed
print(seed(clip=Path({clip!r}), email={email!r}, password={password!r}, exercises={exercises}))
"""


@dataclass(frozen=True)
class Site:
    """Its environment, and the key of its newest exercise."""

    environment: dict[str, str]
    exercise: str


def prepare(folder: Path, *, exercises: int, variables: dict[str, str] | None = None) -> Site:
    """Return a site whose only instructor (EMAIL, PASSWORD) has one class with published exercises."""
    environment = production(folder) | (variables or {})
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
    clip = real_video(folder / "clip.mp4", MEBIBYTE)
    script = SEED.format(clip=str(clip), email=EMAIL, password=PASSWORD, exercises=exercises)
    printed = manage(environment, "shell", "--no-imports", "--command", script)
    return Site(environment, printed.split()[-1])


def production(folder: Path) -> dict[str, str]:
    """Return the environment of a production site behind one proxy, with its data and files in `folder`."""
    return {
        "DJANGO_ENVIRONMENT": "production",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "DJANGO_ALLOWED_HOSTS": "localhost",
        "DJANGO_BASE_URL": "https://localhost",
        "DJANGO_TRUSTED_PROXY_COUNT": "1",
        "DJANGO_ALLOW_SQLITE": "True",
        "DJANGO_DB_NAME": str(folder / "db.sqlite3"),
        "DJANGO_MEDIA_ROOT": str(folder / "media"),
        "DJANGO_STATIC_ROOT": str(folder / "static"),
    }
