"""A site that tests may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Site, prepared_once
from tests.functional.backup_site import required
from tests.servers.postgres import Postgres, postgres, programs


@pytest.fixture(scope="session")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with its class and its learner, not running."""
    return prepared_once(tmp_path_factory).copied_to(tmp_path_factory.mktemp("site"), {})


@pytest.fixture
def site(prepared_site: Site) -> Iterator[Site]:
    """The site, running, and killed at the end."""
    prepared_site.start()
    yield prepared_site
    prepared_site.kill()


@pytest.fixture
def video(clip: Path) -> bytes:
    """A real video of three parts and a bit of a recording: a clip, then a `free` box, which players skip."""
    content = clip.read_bytes()
    padding = 3 * 1024 * 1024
    return content + (padding + 8).to_bytes(4, "big") + b"free" + bytes(range(256)) * (padding // 256)


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    """A PostgreSQL server that tests may stop, freeze, and fill: it takes few connections."""
    required(programs(), "PostgreSQL")
    with postgres(max_connections="12") as server:
        server.sql("CREATE DATABASE practika", "postgres")
        yield server


@pytest.fixture(scope="session")
def postgres_site(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site on it."""
    made = Site(tmp_path_factory.mktemp("site"), {"DATABASE_URL": database.url(), "WEB_CONCURRENCY": "1"})
    made.prepare()
    made.start()
    yield made
    made.stop()
