"""Disks that are small, full, or read-only, and what is asked of uploads on them. Only root mounts disks."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.faults.site import Sender


def mount(*options: object) -> None:
    """Run mount(8)."""
    subprocess.run(["mount", *map(str, options)], check=True)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """Let the folder lie on an empty disk of its own."""
    mount("-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def filled(folder: Path, room_bytes: int) -> Iterator[None]:
    """Leave so much room on the disk of a folder."""
    disk = os.statvfs(folder)
    path = folder / "filler"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_bsize - room_bytes)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def is_problem(answer: requests.Response, status: int) -> bool:
    """Check that the answer is a problem with a sentence for people."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail = answer.json()["detail"]
    return len(detail) > 20 and "DJANGO_" not in detail  # what to set is for whoever runs the site


def signed(sender: Sender, number: int) -> requests.Response:
    """Ask for the link of a part."""
    return sender.call("POST", f"{sender.upload['url']}parts/{number}/", {"size_bytes": len(sender.part(number))})


def is_ended(sender: Sender) -> bool:
    """Send what is missing and complete; return whether what is stored is what was sent."""
    for number in set(sender.numbers()) - set(sender.held()):
        assert sender.send(number).status_code == 200
    assert sender.complete().ok
    (path,) = sender.site.media.glob("videos/*/*/*")
    return hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(sender.content).digest()
