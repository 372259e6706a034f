"""Every command of RUNBOOK.md prints, on a really running site, what the runbook says it prints."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.runbook.document import RUNBOOK, blocks
from tests.runbook.site import ROOT, copied_site

BEFORE_THE_SERVER = ("migrate", "seed-demo")
THE_SERVER = "start"
# These need neither data nor the server, and so run beside the demo's drawing of its videos.
BESIDE = (
    "refused-start",
    "storage-backend",
    "storage-backend-s3",
    "storage-typo",
    "check-deploy",
    "collectstatic",
    "make-clip",
    "trouble-start",
    "debug-settings",
    "mail-effective",
    "mail-test",
)
NOT_RUN_HERE = {
    "backup-nightly-s3": "needs a bucket; tests/functional/test_backup_s3.py runs the same against an S3 server",
    "move-media-look": "needs a bucket; tests/functional/test_move_media.py runs the same against an S3 server",
    "move-media": "as move-media-look",
    "move-media-remove": "as move-media-look",
    "audit-dependencies": "reaches for the list of known holes",
    "scan-image": "needs the image, and the list of known holes",
    "restore-fresh-postgres": "needs a PostgreSQL server; tests/functional/test_backup_postgres.py runs the same",
    "alerts-check": "is run by test_alerts.py, where promtool is",
    "certificate-first": "needs a name that leads to this machine",
    "nginx-install": "changes this machine's nginx; tests/unit/nginx has nginx take the same template, filled in",
    "trouble-certificate": "needs a site with a certificate",
    "install": "reaches for the package index",
    "runserver": "holds its terminal; gunicorn serves the same application here",
    "worker": "holds its terminal; worker-batch runs the same, and tests/functional starts and stops real ones",
    "tests": "is this very suite",
    "docker-build": "needs a Docker daemon and the package index",
    "docker-migrate": "needs the image",
    "docker-run": "needs the image",
    "docker-logs": "needs the container",
    "compose-up": "needs a Docker daemon",
    "compose-roll": "needs a Docker daemon; tests/faults/test_behind_nginx.py restarts two servers behind nginx",
    "systemd-install": "needs systemd as the first process; tests/unit/test_systemd.py has systemd check the units",
    "restart-one": "needs systemd as the first process; tests/faults/test_behind_nginx.py restarts two servers",
}
ALL = {block.id: block for block in blocks()}


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "practika"
    folder.mkdir()
    return copied_site(folder)


def difference(block, site):
    # Log lines are written beside the requests, so what reads them may be a moment early.
    for _ in range(20 if site.log.name in block.command else 1):
        code, output = site.run(block)
        if code == block.exit_code and block.agrees_with(output):
            return ""
    return f"--- {block.id}: exit code {code}, printed:\n{output}--- expected {block.exit_code}:\n{block.expected}"


def differences(ids, site):
    return [text for id in ids if (text := difference(ALL[id], site))]


def test_every_command_prints_what_the_runbook_expects(site):
    with ThreadPoolExecutor() as pool:
        lanes = pool.map(lambda ids: differences(ids, site), [BEFORE_THE_SERVER, BESIDE])
        wrong = [text for lane in lanes for text in lane]
    with site.running(ALL[THE_SERVER]):
        started = site.as_printed(site.log.read_text())
        if not ALL[THE_SERVER].agrees_with(started):
            wrong.append(f"--- start printed:\n{started}")
        claimed = {*BEFORE_THE_SERVER, *BESIDE, THE_SERVER, *NOT_RUN_HERE}
        wrong += differences([id for id in ALL if id not in claimed], site)
    assert not wrong, "\n".join(wrong)


def test_the_monitor_says_when_the_site_is_down(site):
    assert site.run(ALL["monitor"]) == (2, "ERROR: health answered HTTP 000\n")


def test_every_fence_is_a_command_with_an_expectation_or_the_env_file():
    fences = re.findall(r"^```(\w+)$", RUNBOOK, re.MULTILINE)
    silent = RUNBOOK.count("Expected: no output.")
    assert len(ALL) == len(blocks()) == RUNBOOK.count("<!-- run:") == fences.count("bash")
    assert fences.count("text") == len(ALL) - silent
    assert set(fences) == {"bash", "text", "ini"}
    assert fences.count("ini") == 1


def test_what_is_not_run_is_in_the_runbook():
    assert NOT_RUN_HERE.keys() <= ALL.keys()


def test_what_holds_a_box_of_the_security_checklist_is_a_test_of_ours():
    boxes = re.findall(r"^\| [^|]+ \| [^|]+ \| (`tests/[^|]+) \|$", RUNBOOK, re.MULTILINE)
    assert len(boxes) == 17
    for path in re.findall(r"`([^`]+)`", " ".join(boxes)):
        assert (ROOT / path).is_file(), path
