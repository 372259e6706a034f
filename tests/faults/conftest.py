"""A site that tests may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Site


@pytest.fixture(scope="session")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with its class and its learner, not running."""
    made = Site(tmp_path_factory.mktemp("site"))
    made.prepare()
    return made


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
