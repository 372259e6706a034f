"""Alert rules and dashboard: they fire when they should, ask for what is exposed, and lead to the runbook."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.urls import get_resolver

from core.services.metrics import exposed
from core.services.readiness import CHECKS
from core.telemetry.series import SERIES
from tests.runbook.document import RUNBOOK
from tests.runbook.test_metrics import labels_of

OPS = Path(__file__).resolve().parents[2] / "ops"
PROMETHEUS = OPS / "prometheus"
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
DASHBOARD = json.loads((OPS / "grafana/practika.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PANEL_EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
PANEL_EXPRESSIONS += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]

# What Prometheus itself and the Blackbox exporter expose (both say so in their documentation).
OF_OTHERS = {"up": set(), "probe_success": set(), "probe_ssl_earliest_cert_expiry": set()}
EVERYWHERE = {"job", "instance"}
SELECTOR = re.compile(r"\b((?:practika|up|probe)[a-zA-Z0-9_:]*)(\{[^}]*\})?(?!\()")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring) \(([^)]*)\)")


def promtool(*arguments, cwd=PROMETHEUS):
    if not shutil.which("promtool"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("promtool is not on this machine")
    done = subprocess.run(["promtool", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def known(exercise):
    """Return name of a sample → its labels, of all that a site exposes and all that the rules record."""
    found = dict(OF_OTHERS) | {rule["record"]: set() for rule in RULES if "record" in rule}
    for family in exposed():
        labels = labels_of(family)
        for suffix, more in SUFFIXES[family.type].items():
            found[family.name + suffix] = labels | more
    return found


SUFFIXES = {
    "gauge": {"": set()},
    "counter": {"_total": set()},
    "info": {"_info": set()},
    "histogram": {"_bucket": {"le"}, "_count": set(), "_sum": set()},
}


def selectors(expression):
    """Yield (name, [(label, operator, value)]) of every selector."""
    for name, matchers in SELECTOR.findall(expression):
        yield name, MATCHER.findall(matchers)


@pytest.mark.parametrize("file", ["rules_test.yml", "rules_days_test.yml"])
def test_every_alert_fires_when_it_should_and_not_when_it_nearly_should(file):
    code, said = promtool("test", "rules", file)
    assert code == 0, said


def test_every_alert_is_tried_both_ways():
    tried = [
        one
        for file in ("rules_test.yml", "rules_days_test.yml")
        for group in yaml.safe_load((PROMETHEUS / file).read_text())["tests"]
        for one in group["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in ALERTS}
    assert {one["alertname"] for one in tried if one["exp_alerts"]} == names
    assert {one["alertname"] for one in tried if not one["exp_alerts"]} >= names


def test_prometheus_takes_the_configuration(tmp_path):
    for file in PROMETHEUS.glob("*.yml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "practika.token").write_text("token")
    code, said = promtool("check", "config", "prometheus.yml", cwd=tmp_path)
    assert code == 0, said


@pytest.mark.parametrize("expressions", [[rule["expr"] for rule in RULES], PANEL_EXPRESSIONS], ids=["rules", "panels"])
def test_every_series_and_label_that_is_asked_for_is_exposed(expressions, known):
    for expression in expressions:
        found = list(selectors(expression))
        assert found, expression
        labels = set().union(*(known.get(name, set()) for name, _ in found)) | EVERYWHERE
        for name, matchers in found:
            assert name in known, f"{name} in {expression}"
            for label, _, _ in matchers:
                assert label in known[name] | EVERYWHERE, f"{label} of {name} in {expression}"
        for group in GROUPING.findall(expression):
            assert {label.strip() for label in group.split(",") if label.strip()} <= labels, expression


def test_every_value_that_is_asked_for_is_one_that_occurs(known):
    routes = {"static", "none", *view_names(get_resolver())}
    words = {"component": set(CHECKS), "route": routes, "job": {"practika", "practika-outside"}}
    told = set(re.findall(r"`([a-z_0-9]+)`", RUNBOOK)) | {"production", "GET", "failed", "running"}
    for expression in [*PANEL_EXPRESSIONS, *(rule["expr"] for rule in RULES)]:
        for _, matchers in selectors(expression):
            for label, _, value in matchers:
                for word in value.split("|"):
                    if re.fullmatch(r"[\w:-]+", word):
                        assert word in words.get(label, told), f"{label}={word} in {expression}"


def view_names(resolver, prefix=""):
    """Yield the names of all routes, as they stand in the label `route`."""
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from view_names(pattern, prefix + (f"{pattern.namespace}:" if pattern.namespace else ""))
        else:
            yield f"{prefix}{pattern.name}"


def test_every_series_of_ours_is_on_the_dashboard():
    shown = {name for expression in PANEL_EXPRESSIONS for name, _ in selectors(expression)}
    for name in SERIES:
        assert shown & {name, f"{name}_bucket", f"{name}_count"}, name


def test_prometheus_understands_every_panel(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(PANEL_EXPRESSIONS)
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    code, said = promtool("check", "rules", "panels.yml", cwd=tmp_path)
    assert code == 0, said
    assert f"{len(rules)} rules found" in said


def test_panels_have_a_unit_a_place_of_their_own_and_an_id_of_their_own():
    taken = set()
    for panel in PANELS:
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(rule):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    anchor = rule["annotations"]["runbook"].removeprefix("RUNBOOK.md#")
    assert anchor in {anchor_of(title) for title in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)}
    section = next(part for part in re.split(r"^###? ", RUNBOOK, flags=re.MULTILINE) if starts_with(part, anchor))
    assert rule["alert"] in section, f"the section does not name {rule['alert']}"


def starts_with(part, anchor):
    return anchor_of(part.split("\n", 1)[0]) == anchor


def anchor_of(title):
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
