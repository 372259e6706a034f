"""How much of a disk the application takes, without the interpreter, its data, and the tools of developers."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from servers import ROOT

REQUIREMENTS = ROOT / "requirements-v1.txt"
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", re.MULTILINE)
FOLDERS = ("practika_project", "core", "accounts", "exercises", "comments", "templates", "static", "ops")


def application_bytes() -> tuple[int, int]:
    """Return the bytes of the site's own files, and of the installed packages it is locked to."""
    own = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    own += ROOT.glob("*.py")
    packages = sum(_package_bytes(name) for name in PIN.findall(REQUIREMENTS.read_text()))
    return sum(map(_file_bytes, own)), packages


def _package_bytes(name: str) -> int:
    """Return the bytes of a package's files, compiled ones included; 0 for one that other platforms need."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0
    return sum(_file_bytes(Path(str(file.locate()))) for file in files)


def _file_bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
