"""What the tests stand on: SQLite and local files, or what a real site has.

`python -m tests.stack [arguments of pytest]` starts PostgreSQL, Redis, and an S3 server over HTTP whose gate checks
signatures, and runs TESTS on them. A test that is about one of the two stacks, or starts servers of its own, says so
with its reason: `@pytest.mark.one_stack("development", why="…")`.

# Note [Servers are shared, what is in them is not]
The servers live as long as the run. Each worker of pytest-xdist has a database (pytest-django names it), a database of
Redis, and a bucket; the last two are emptied after each test, as the first is rolled back.
"""

import logging
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.servers.postgres import postgres
from tests.servers.redis import redis_server
from tests.servers.s3 import s3_variables

CHOSEN = "TEST_STACK"
DEVELOPMENT, PRODUCTION = "development", "production"
STACK = os.environ.get(CHOSEN, DEVELOPMENT)
IS_PRODUCTION = STACK == PRODUCTION
BUCKET = "practika-test"
TESTS = ["tests/functional", "tests/faults/test_jobs_killed_anywhere.py"]


def run(arguments: list[str]) -> int:
    """Run pytest on a production stack; return its exit status."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the S3 server's line for each request
    with ExitStack() as servers:
        database = servers.enter_context(postgres(max_connections="300"))
        database.sql("CREATE DATABASE practika", "postgres")
        variables = servers.enter_context(s3_variables(BUCKET))
        variables |= {
            CHOSEN: PRODUCTION,
            "DATABASE_URL": database.url(),
            "REDIS_URL": servers.enter_context(redis_server()).url(),
        }
        tests = [] if any(argument.startswith("tests") for argument in arguments) else TESTS
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments, *tests], env=os.environ | variables
        ).returncode


def take_a_share(settings: Any, worker: str) -> None:
    """Point the settings, before anything uses them, at the worker's own bucket and its database of Redis."""
    settings.AWS_STORAGE_BUCKET_NAME = f"{BUCKET}-{worker}"
    settings.STORAGES["default"]["OPTIONS"]["bucket_name"] = settings.AWS_STORAGE_BUCKET_NAME
    address = settings.CACHES["redis"]["LOCATION"]
    settings.CACHES["redis"]["LOCATION"] = address.replace("db=0", f"db={int(worker.removeprefix('gw') or 0) % 16}")


def empty(bucket: Any) -> None:
    """Remove what is in a bucket (boto3's), whole or in parts."""
    bucket.objects.all().delete()
    for upload in bucket.multipart_uploads.all():
        with suppress(ClientError):  # asked again because the first reply was late
            upload.abort()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
