"""Reading /core/metrics/ as Prometheus does, for tests."""

from contextlib import contextmanager

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-of-these-tests"


def samples(text: str) -> dict[tuple[str, frozenset], float]:
    """Return (name, labels) → value."""
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


class Metrics:
    """The figures of this process, and what a block adds to them."""

    def __init__(self, settings) -> None:
        settings.METRICS_TOKEN = TOKEN

    def text(self) -> str:
        answer = Client().get("/core/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return answer.content.decode()

    def value(self, name: str, **labels: str) -> float:
        return samples(self.text()).get((name, frozenset(labels.items())), 0.0)

    @contextmanager
    def adding(self, expected: float, name: str, **labels: str):
        """Assert that the block adds so much to a series."""
        before = self.value(name, **labels)
        yield
        assert self.value(name, **labels) - before == expected, (name, labels)
