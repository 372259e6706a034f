"""Measures the list of exercises on a large site: against one raw query and an f-string, and deep against page 1.

    python benchmarks/lists.py
    python benchmarks/lists.py --exercises 10000 --comments 0 --rounds 9

The site has `--exercises` exercises in a hundred classes and `--comments` comments, on SQLite in production's settings.
Ada teaches all classes, Ben learns in one (he sees every hundredth). Requests run in this process, through the whole
of the site, and count in processor time, medians of interleaved rounds: the machine's other work does not. The
reference (raw_list.py) stands behind the same middleware, session, and account. Ends with 0 when Ada's page 1 costs at
most 10 times the reference, and a page in the middle at most 1.2 times page 1.
"""

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from practika import EMAIL, prepare
from servers import ROOT

CLASSES = 100
SHARE, DEPTH = 10.0, 1.2
ALL, ONE = "Ada, page 1", "Ben, page 1"


def grow(exercises: int, comments: int) -> tuple[str, str]:
    """Add classes, exercises with videos of their own, comments, and Ben, by plain rows; return sessions of both."""
    from crowd import session_of
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Classroom, Membership, User
    from core.models import VideoAsset
    from exercises.models import Exercise

    ada, newest = User.objects.get(email=EMAIL), Exercise.objects.select_related("reference").latest("created_at")
    ben = User.objects.create_user("ben@example.org", "unused-here", name="Ben")
    classes = Classroom.objects.bulk_create(Classroom(name=f"Class {number}") for number in range(CLASSES))
    Membership.objects.bulk_create(Membership(user=ada, classroom=one, role="instructor") for one in classes)
    Membership.objects.create(user=ben, classroom=classes[7], role="learner")
    now = timezone.now()
    with connection.cursor() as cursor:
        for model, row in ((VideoAsset, newest.reference), (Exercise, newest)):
            columns = [field.column for field in model._meta.concrete_fields]
            changed = {"id", "created_at", "classroom_id", "reference_id", "name"} & set(columns)
            copied = ", ".join(f"new.{name}" if name in changed else f"old.{name}" for name in columns)
            cursor.execute("DROP TABLE IF EXISTS new")
            cursor.execute("CREATE TEMP TABLE new (id, created_at, classroom_id, reference_id, name)")
            cursor.executemany(
                "INSERT INTO new VALUES (%s, %s, %s, %s, %s)",
                (_row(number, now, classes[number % CLASSES].pk.hex) for number in range(exercises)),
            )
            cursor.execute(  # names of the models' own columns
                f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "
                f"SELECT {copied} FROM new, {model._meta.db_table} old WHERE old.id = %s",
                [row.pk.hex],
            )
        _comment(cursor, comments, exercises)
        cursor.execute("ANALYZE")
    return session_of(ada), session_of(ben)


def _row(number: int, now, classroom: str) -> tuple:
    from datetime import timedelta

    return (
        _key(number),
        str(now.replace(tzinfo=None) - timedelta(minutes=number)),
        classroom,
        _key(number),
        f"N{number}",
    )


def _key(number: int) -> str:
    return uuid.UUID(int=number + 2**64, version=4).hex


def _comment(cursor, comments: int, exercises: int) -> None:
    from comments.models import Comment

    columns = [field.column for field in Comment._meta.concrete_fields]
    changed = {"id": "lower(hex(randomblob(16)))", "target_id": "new.id"}
    copied = ", ".join(changed.get(name, f"old.{name}") for name in columns)
    for done in range(0, comments, exercises):
        cursor.execute(  # names of the model's own columns
            f"INSERT INTO comments_comment ({', '.join(columns)}) SELECT {copied} FROM new, "
            "(SELECT * FROM comments_comment LIMIT 1) old LIMIT %s",
            [min(exercises, comments - done)],
        )


def asker(application, session: str, path: str) -> Callable[[], bytes]:
    """Return a function that asks for a page and returns it; RuntimeError when it is not a 200."""
    bare, _, query = path.partition("?")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": bare, "QUERY_STRING": query, "SERVER_NAME": "localhost"}
    environ |= {
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    environ |= {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_COOKIE": f"sessionid={session}", "wsgi.url_scheme": "http"}

    def ask() -> bytes:
        statuses: list[str] = []
        streams = {"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr}
        answer = application(environ | streams, lambda status, *_: statuses.append(status))
        body = b"".join(answer)
        answer.close()
        if not statuses[0].startswith("200"):
            raise RuntimeError(f"{path} answered {statuses[0]}")
        return body

    return ask


def measure(pages: dict[str, Callable[[], bytes]], rounds: int, calls: int) -> dict[str, float]:
    """Return the median processor time of each page in ms."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(rounds + 1):
        for name in list(pages)[:: 1 if number % 2 else -1]:
            started = time.process_time()
            for _ in range(calls):
                pages[name]()
            times[name].append((time.process_time() - started) / calls * 1000)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}  # the first round loads things


def main() -> int:
    """Make the site, measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exercises", type=int, default=100_000)
    parser.add_argument("--comments", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        site = prepare(Path(name), exercises=1)
        os.environ |= site.environment | {"DJANGO_SETTINGS_MODULE": "practika_project.settings"}
        os.environ["DJANGO_LOG_LEVEL"] = "WARNING"
        sys.path.insert(0, str(ROOT))
        from django.conf import settings

        settings.ROOT_URLCONF = "raw_list"
        from practika_project.wsgi import application

        ada, ben = grow(options.exercises, options.comments)
        from core.cursors import cursor_after
        from exercises.models import Exercise

        middle = Exercise.objects.order_by("-created_at", "-pk")[options.exercises // 2]
        deep = f"/exercises/?older={cursor_after(middle.created_at, middle.pk)}".replace("+", "%2B")
        pages = {
            "raw query, f-string": asker(application, ada, "/raw/"),
            ALL: asker(application, ada, "/exercises/"),
            "Ada, in the middle": asker(application, ada, deep),
            ONE: asker(application, ben, "/exercises/"),
            "Ben, in the middle": asker(application, ben, deep),
        }
        found = measure(pages, options.rounds, options.calls)
    raw, ours, middle_ms, bens, bens_middle = found.values()
    for page, taken in found.items():
        print(f"{page:22}{taken:8.2f} ms of processor time {taken / raw:7.1f}")
    print(f"page 1 / raw {ours / raw:.1f} (goal {SHARE}) · middle / page 1 {middle_ms / ours:.2f} (goal {DEPTH})")
    print(f"Ben: page 1 / raw {bens / raw:.1f} · middle / page 1 {bens_middle / bens:.2f}")
    return 0 if ours <= SHARE * raw and middle_ms <= DEPTH * ours else 1


if __name__ == "__main__":
    sys.exit(main())
