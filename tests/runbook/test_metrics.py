"""The runbook's table of series is what /core/metrics/ really exposes."""

import re

import pytest

from core.services.metrics import exposed
from core.telemetry.series import SERIES
from tests.runbook.document import RUNBOOK

ROW = re.compile(r"^\| `(practika_[a-z_]+)` \| (\w+) \| (.+?) \| .+ \|$", re.MULTILINE)


def labels_of(family):
    """Return the names of a family's labels: as declared, or as its samples have them."""
    if family.type == "info":
        return {name for sample in family.samples for name in sample.labels}
    for name in (family.name, f"{family.name}_total"):
        if name in SERIES:
            return set(SERIES[name].labels)
    return {name for sample in family.samples for name in sample.labels}


@pytest.fixture
def families(exercise):
    return {family.name + ("_total" if family.type == "counter" else ""): family for family in exposed()}


def test_every_series_stands_in_the_table_with_its_type_and_labels_and_the_reverse(families):
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(RUNBOOK)}
    assert told == {name: (family.type, labels_of(family)) for name, family in families.items()}


def test_every_series_is_called_as_prometheus_wants_it(families):
    for name, family in families.items():
        assert name.endswith("_total") == (family.type == "counter")
        assert not re.search(r"_(ms|milliseconds|kb|mb|percent|count|sum|bucket)$", name)
        assert family.documentation.endswith(".")
