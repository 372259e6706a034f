"""The image, compose.yaml, and the locked requirements hold together."""

import os
import re
import secrets
import shutil
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from gunicorn.config import WorkerConnections
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from practika_project import env

ROOT = Path(settings.BASE_DIR)
COMPOSE = (ROOT / "compose.yaml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("practika:")]
LOCKS = ("requirements-v1", "requirements-dev")
HADOLINT = Path(sys.executable).with_name("hadolint")

# ── The image ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint comes with requirements-dev.txt")
def test_hadolint_finds_nothing_in_the_dockerfile():
    found = subprocess.run([HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_what_the_image_takes_in_is_enough_to_collect_the_static_files(tmp_path):
    taken = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in taken:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, tmp_path / name)
    (run,) = re.findall(r"^RUN (DJANGO_SECRET_KEY=.*?[^\\])\n\n", (ROOT / "Dockerfile").read_text(), re.M | re.S)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {"PATH": path, "DJANGO_ENVIRONMENT": "production"}
    done = subprocess.run(run, shell=True, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles" / "staticfiles.json").exists()


# ── compose.yaml ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", OURS)
def test_the_site_reads_every_variable_that_compose_gives_it(name):
    assert set(SERVICES[name]["environment"]) <= set(env.VARIABLES)


def test_what_compose_asks_for_is_required_with_a_sentence_or_may_be_empty():
    asked = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE)
    assert asked
    assert [name for name, rest in asked if not re.match(r":\?set \w+ to .+|:-$", rest)] == []


def test_no_secret_in_compose_has_a_value_of_its_own():
    given = [item for service in SERVICES.values() for item in service.get("environment", {}).items()]
    secrets = {name: value for name, value in given if re.search(r"PASSWORD|SECRET|TOKEN|KEY|DSN", name)}
    assert len(secrets) > 5
    assert [name for name, value in secrets.items() if not value.startswith("${")] == []


def test_every_lasting_service_of_compose_has_a_health_check():
    lasting = {name for name, service in SERVICES.items() if service["restart"] != "no"}
    checked = {name for name, service in SERVICES.items() if "test" in service.get("healthcheck", {})}
    assert lasting == checked | {"web-a", "web-b"}  # the image brings the check of these
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_two_servers_of_one_release_stand_behind_nginx_and_either_can_be_replaced_alone():
    a, b, nginx = (SERVICES[name] for name in ("web-a", "web-b", "nginx"))
    assert a | {"networks": None} == b | {"networks": None}
    assert [nginx["environment"][f"PRACTIKA_UPSTREAM_{name}"] for name in "AB"] == ["web-a:8000", "web-b:8000"]
    for name in ("web-a", "web-b"):
        assert "restart" not in nginx["depends_on"][name]  # nginx would drop who is connected
    # nginx keeps the addresses it found at its start, so a replaced container must get the same one.
    (network,) = yaml.safe_load(COMPOSE)["networks"]["default"]["ipam"]["config"]
    fixed = [ip_address(one["networks"]["default"]["ipv4_address"]) for one in (a, b)]
    assert len(set(fixed)) == 2
    assert all(one in ip_network(network["subnet"]) for one in fixed)
    assert not any(one in ip_network(network["ip_range"]) for one in fixed)


def test_supervisors_give_a_server_the_time_it_takes_to_stop():
    production = {"DJANGO_ENVIRONMENT": "production", "DJANGO_SECRET_KEY": secrets.token_hex(64),
                  "DJANGO_ALLOWED_HOSTS": "localhost", "DJANGO_ALLOW_SQLITE": "True"}  # fmt: skip
    script = "import runpy; print(runpy.run_path('gunicorn.conf.py')['graceful_timeout'])"
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=production, capture_output=True, check=True)
    (of_systemd,) = re.findall(r"^TimeoutStopSec=(.+)$", (ROOT / "ops/systemd/practika-web@.service").read_text(), re.M)
    for given in (of_systemd, *(SERVICES[name]["stop_grace_period"] for name in ("web-a", "web-b"))):
        assert int(given.removesuffix("s")) > int(told.stdout)


def test_supervisors_allow_a_server_to_hold_a_file_for_each_of_its_connections():
    unit = (ROOT / "ops/systemd/practika-.service.d/practika.conf").read_text()
    (of_systemd,) = re.findall(r"^LimitNOFILE=(.+)$", unit, re.M)
    for given in (of_systemd, *(SERVICES[name]["ulimits"]["nofile"] for name in ("web-a", "web-b"))):
        assert int(given) > 2 * WorkerConnections.default


# ── Locks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def locked(name: str) -> dict[str, str]:
    """Return the entries of a lock: name → everything up to the next entry."""
    entries = re.findall(r"^(\S.*(?:\n[ \t]+.*)*)", (ROOT / f"{name}.txt").read_text(), re.M)
    return {canonicalize_name(re.split(r"[=\[ ]", entry)[0]): entry for entry in entries}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_has_one_version_and_hashes(name):
    loose = [
        entry for entry in locked(name).values() if not re.match(r"\S+==\S+( ;.*)? \\\n\s+--hash=sha256:\w{64}", entry)
    ]
    assert loose == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_direct_requirement_is_locked_at_a_version_it_allows(name):
    lines = (line.split("#")[0].strip() for line in (ROOT / f"{name}.in").read_text().splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("-")]
    versions = {key: entry.split("==")[1].split()[0] for key, entry in locked(name).items()}
    assert wanted
    assert [str(one) for one in wanted if not one.specifier.contains(versions[canonicalize_name(one.name)])] == []
