"""The runbook's table of variables is what the program reads, in both directions."""

import json
import re
import subprocess
import sys

import pytest

from tests.nginx import ASKED_FOR
from tests.runbook.document import RUNBOOK, rows
from tests.runbook.site import ROOT, environment

SHOW_VARIABLES = """
import json, os, runpy
os.environ["DJANGO_SETTINGS_MODULE"] = "practika_project.settings"
runpy.run_path("gunicorn.conf.py")
from practika_project import env
print(json.dumps({v.name: [v.kind, v.default] for v in env.VARIABLES.values()}))
"""
PRODUCTION = {
    "DJANGO_ENVIRONMENT": "production",
    "DJANGO_SECRET_KEY": "k0Q7vZ3rT9yB1nM5xW8cL2pD6sF4gH0jA7uE3iO9",
    "DJANGO_ALLOWED_HOSTS": "practika.example.org",
    "DJANGO_ALLOW_SQLITE": "True",
    "USE_S3": "True",
    "AWS_STORAGE_BUCKET_NAME": "practika-videos",
}
PRODUCTION["DJANGO_SECRET_KEY"] *= 2
OURS = re.compile(r"\b(?:DJANGO|PRACTIKA|AWS|USE|WEB|DATABASE|REDIS|SENTRY|METRICS)_[A-Z0-9_]*[A-Z0-9]\b")
# Django's own createsuperuser; the templates of nginx.
READ_BY_OTHERS = {"DJANGO_SUPERUSER_PASSWORD"} | {name for name in ASKED_FOR if name.startswith("PRACTIKA_")}


@pytest.fixture(scope="module")
def development():
    return read_by_the_program({})


@pytest.fixture(scope="module")
def production():
    return read_by_the_program(PRODUCTION)


def read_by_the_program(variables):
    """Return name → (kind, default) as gunicorn's start reads them, in a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_VARIABLES],
        cwd=ROOT,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return json.loads(shown.stdout)


def cell(value):
    text = ",".join(value) if isinstance(value, list) else str(value)
    return f"`{text}`" if text else "–"


def test_every_variable_that_is_read_stands_in_the_table_and_the_reverse(development, production):
    named = [row.name for row in rows()]
    assert len(named) == len(set(named))
    assert set(named) == development.keys() | production.keys()


def test_the_table_tells_kinds_and_defaults_as_they_are_read(development, production):
    for row in rows():
        (kind, usual), (_, in_production) = development[row.name], production[row.name]
        told = cell(usual) if usual == in_production else f"{cell(usual)}; production: {cell(in_production)}"
        assert (row.kind, row.default) == (kind, told), row.name


def test_the_runbook_names_no_variable_that_nothing_reads(development):
    secrets = {f"{name}_FILE" for name, (kind, _) in development.items() if kind == "secret"}
    assert set(OURS.findall(RUNBOOK)) <= development.keys() | secrets | READ_BY_OTHERS


def test_production_starts_with_the_env_file_of_the_docker_run():
    (printed,) = re.findall(r"```ini\n(.*?)```", RUNBOOK, re.DOTALL)
    named = dict(line.split("=", 1) for line in printed.splitlines())
    key = {"DJANGO_SECRET_KEY": PRODUCTION["DJANGO_SECRET_KEY"]}
    assert read_by_the_program({"DJANGO_ENVIRONMENT": "production"} | named | key).keys() >= named.keys()
