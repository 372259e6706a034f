"""The systemd units are what systemd takes, confined, and give every process the time it needs to stop."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

UNITS = Path(settings.BASE_DIR) / "ops" / "systemd"
STARTED = ("practika-web@8001.service", "practika-worker@1.service")
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 30  # tenths; systemd's own "OK" ends at 49, and a unit without confinement has 96

needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd is not installed")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, their programs replaced by one that is here."""
    for unit in UNITS.rglob("practika*.*"):
        if unit.is_file():
            copied = tmp_path / unit.relative_to(UNITS)
            copied.parent.mkdir(exist_ok=True)
            copied.write_text(
                re.sub(r"(?<=^Exec)(\w+=)\S+", rf"\1{shutil.which('true')}", unit.read_text(), flags=re.M)
            )
    return tmp_path


def analyze(*arguments: str, units: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, which looks for units there first."""
    variables = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_LOG_LEVEL": "warning"}
    return subprocess.run([ANALYZE, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
@pytest.mark.parametrize("name", STARTED)
def test_systemd_accepts_the_unit_and_knows_every_word_in_it(units, name):
    verified = analyze("verify", "--man=no", "--generators=no", str(units / re.sub("@.*[.]", "@1.", name)), units=units)
    ours = [line for line in verified.stderr.splitlines() if "practika" in line]
    assert (verified.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("name", STARTED)
def test_a_unit_reaches_little_of_its_machine(units, name):
    judged = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", name, units=units)
    assert judged.returncode == 0, judged.stdout[-200:] + judged.stderr


def test_a_unit_sets_what_the_image_sets():
    (line,) = re.findall(r"^Environment=(.*)$", (UNITS / "practika-.service.d" / "practika.conf").read_text(), re.M)
    (image,) = re.findall(r"^ENV (.*?[^\\\\])$", (UNITS.parents[1] / "Dockerfile").read_text(), re.M | re.S)
    assert set(line.split()) == {word for word in image.split() if "=" in word and not word.startswith("PATH=")}
