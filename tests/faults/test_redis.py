"""Redis is down, hung, or full: sessions go on, limits hold, people notice nothing, and readiness says it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
import requests

from core.second_cache import PAUSE_S, SecondCache, redis_cache
from core.telemetry.gathering import totals
from tests.faults.site import Site
from tests.functional.backup_site import required
from tests.servers.redis import Redis, redis_program, redis_server

pytestmark = pytest.mark.xdist_group("redis")


@pytest.fixture(scope="module")
def cache() -> Iterator[Redis]:
    required(redis_program(), "redis-server")
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def site(prepared_site: Site, cache: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with Redis."""
    folder = tmp_path_factory.mktemp("redis-site")
    made = prepared_site.copied_to(folder, {"REDIS_URL": cache.url(), "WEB_CONCURRENCY": "1"})
    made.start()
    yield made
    made.stop()


def down(cache: Redis) -> None:
    cache.stop()


def hung(cache: Redis) -> None:
    cache.freeze()


def full(cache: Redis) -> None:
    """Refuse every write, as a server does that may not drop anything."""
    client = cache.client()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    with pytest.raises(redis.ResponseError):
        client.set("a", "b")


@pytest.fixture(params=[down, hung, full])
def fault(request: pytest.FixtureRequest, cache: Redis) -> Iterator[None]:
    request.param(cache)
    yield
    cache.stop()
    cache.start()


def component(site: Site) -> tuple[int, str, str]:
    ready = requests.get(f"{site.address}/core/ready/", timeout=30)
    return ready.status_code, ready.json()["status"], ready.json()["components"]["cache"]["status"]


def test_sessions_go_on_and_readiness_says_it(site, fault):
    visitor = site.visitor()
    for path in ("/exercises/", "/accounts/profile/", "/classes/"):
        assert visitor.get(site.address + path, timeout=30, allow_redirects=False).status_code == 200
    assert component(site) == (200, "degraded", "degraded")


def test_a_limit_that_was_reached_stays_reached_without_it(site, cache):
    address = f"{uuid4()}@example.org"
    while not is_refused(site, address):
        pass
    cache.stop()
    try:
        assert is_refused(site, address)
    finally:
        cache.start()


@pytest.fixture
def second_cache(cache: Redis, settings: Any) -> SecondCache:
    settings.CACHES = settings.CACHES | {"redis": redis_cache(cache.url(1))}
    return SecondCache(clock=lambda: CLOCK[0])


CLOCK = [0.0]


def test_it_is_asked_once_in_a_pause_and_again_after_it(second_cache, cache, caplog):
    second_cache.remember("key", 1, 60)
    assert second_cache.recall("key") == 1
    cache.freeze()
    failed, skipped = calls("error"), calls("skipped")
    assert [second_cache.recall("key") for _ in range(20)] == [None] * 20
    assert (calls("error") - failed, calls("skipped") - skipped) == (1, 19)
    (told,) = [record for record in caplog.records if record.message == "Redis does not answer"]
    assert told.exc_info  # with its traceback
    cache.thaw()
    assert second_cache.recall("key") is None
    CLOCK[0] += PAUSE_S
    assert second_cache.recall("key") == 1


def calls(outcome: str) -> float:
    """Return how many questions to Redis this process has counted."""
    return totals(None).get(("practika_cache_calls_total", "redis", "get", outcome), [0])[0]


def test_without_an_address_it_remembers_nothing(settings):
    settings.CACHES = {name: cache for name, cache in settings.CACHES.items() if name != "redis"}
    lonely = SecondCache()
    lonely.remember("key", 1, 60)
    lonely.check()
    assert lonely.recall("key") is None


def is_refused(site: Site, address: str) -> bool:
    """Try a wrong password, and return whether too many were tried before."""
    browser = requests.Session()
    browser.get(f"{site.address}/accounts/login/", timeout=30)
    sent = {"login": address, "password": "wrong", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = browser.post(f"{site.address}/accounts/login/", sent, timeout=30)
    return answer.status_code == 429 or "Too many failed login attempts" in answer.text
