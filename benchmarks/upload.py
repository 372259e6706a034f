"""Measures uploads in parts against the least and the usual, each ratio in one run.

    python benchmarks/upload.py local --mebibytes 1024 --rounds 5
    python benchmarks/upload.py s3 --mebibytes 1024 --rounds 3
    python benchmarks/upload.py memory --mebibytes 2048 --rounds 1

`local`: ours (sign, PUT, and complete, durable at the end) against nginx's own PUT of the same parts to the same disk
(it keeps them as loose files and waits for no disk), against a bare splice(2) from socket to disk in Python (what the
kernel alone takes), and against one multipart form to the usual Django view (`usual_view.py`). `s3`: ours against a
bare boto3 multipart upload to the same S3 server (moto), with the video bytes that reached the app counted. `memory`:
the web processes while four videos come at once. Prints medians of MiB/s and processor time per GiB; ends with 0 when
the goals hold: ≥ 0.9 of the bare splice and ≥ 0.7 of nginx, ≥ 4 times the form, ≤ 0.4 CPU s/GiB or MOST_CPU times the
bare splice's; for S3 no video byte and ≤ 0.05 CPU s/GiB; every web process < 150 MiB.

# Note [What is left to the kernel]
Of a local GiB, received on two quiet cores in 0.62 s of processor time, the kernel takes 0.53 s: splice(2) 0.40 s (TCP
on the loopback, ext4), starting to write back 0.05 s. The bare splice takes 0.37 s in all, nginx 0.48 s. Larger receive
buffers, low-water marks, fewer lanes, fewer calls a block, and another moment for fsync(2) changed nothing that can be
told from noise; smaller pipes cost more, and 1 MiB is the most without privileges. The rest is 1.6 ms a part for HTTP,
Django's middleware and the marks, and 5 to 10 ms for each of the calls around them: hence MOST_CPU.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from parts_visitor import PARALLEL, PartsVisitor, Piece, put_all
from practika import EMAIL, PASSWORD, SITE, production
from servers import MEBIBYTE, Server, gunicorn, manage
from upload_limits import BUCKET, KEYS, bare_multipart, bare_splice, nginx, s3_server
from upload_one_shot import ONE_WORKER, usual
from videos import real_video
from visitor import Visitor

UPLOADS = 4
MOST_CPU = 1.75
# The person who sends, and their class.
PEOPLE = """
from accounts.models import Classroom, Membership, User
ada = User.objects.create_user({email!r}, {password!r}, name="Ada")
Membership.objects.create(user=ada, classroom=Classroom.objects.create(name="Tuesday dance"), role="instructor")
from allauth.account.models import EmailAddress
EmailAddress.objects.update_or_create(user=ada, email=ada.email, defaults={{"verified": True, "primary": True}})
"""


def rounds_of(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return each contestant's median seconds over interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: 1 if number % 2 else -1]:
            os.sync()
            seconds[name].append(contestants[name]())
    return {name: statistics.median(times) for name, times in seconds.items()}


def site_with_a_class(folder: Path) -> dict[str, str]:
    """Return the environment of a production site that has one person in one class."""
    environment = production(folder)
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
    manage(environment, "shell", "--no-imports", "--command", PEOPLE.format(email=EMAIL, password=PASSWORD))
    (folder / "media" / "videos").mkdir(parents=True)
    return environment


def member(server: Server) -> tuple[PartsVisitor, str]:
    """Return somebody who is logged in, and the id of their class."""
    visitor = PartsVisitor(server.port)
    visitor.log_in(EMAIL, PASSWORD)
    return visitor, visitor.call("GET", "/accounts/api/me/")["classes"][0]["id"]


def emptied(folder: Path, send: Callable[[], float]) -> Callable[[], float]:
    """Return a contestant that removes afterwards what it stored."""

    def sent() -> float:
        seconds = send()
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return seconds

    return sent


def measure_local(folder: Path, mebibytes: int, rounds: int) -> bool:
    """Print the figures of the local backend; return whether the goals hold."""
    video = real_video(folder / "video.mp4", mebibytes * MEBIBYTE)
    environment = site_with_a_class(folder)
    quiet = ("--config", "python:gunicorn.glogging", "--no-control-socket")
    with (
        gunicorn(SITE, *ONE_WORKER, environment=environment) as ours,
        gunicorn("usual_view:application", *ONE_WORKER, *quiet, environment=usual(folder, None)) as form,
        nginx(folder) as limit,
    ):
        visitor, classroom = member(ours)
        size = video.stat().st_size
        part = max(16, mebibytes // 32) * MEBIBYTE  # as the site says
        pieces = [Piece(f"/{n}", at, min(part, size - at)) for n, at in enumerate(range(0, size, part))]

        def to_nginx() -> float:
            started = time.perf_counter()
            put_all(pieces, video, limit.port)
            return time.perf_counter() - started

        bare_cpu = []

        def spliced() -> float:
            seconds, used = bare_splice(video, folder / "bare", part)
            bare_cpu.append(used)
            return seconds

        servers = {"ours": ours, "nginx": limit, "form": form}
        cpu, kernel = {name: server.cpu_seconds() for name, server in servers.items()}, ours.kernel_seconds()
        medians = rounds_of(
            {
                "ours": emptied(folder / "media" / "videos", lambda: visitor.send_parts(video, classroom)),
                "bare": spliced,
                "nginx": emptied(folder / "files", to_nginx),
                "form": emptied(folder / "usual", lambda: Visitor(form.port).upload(video)),
            },
            rounds,
        )
        cpu = {name: (server.cpu_seconds() - cpu[name]) / rounds * 1024 / mebibytes for name, server in servers.items()}
        cpu["bare"] = statistics.median(bare_cpu) * 1024 / mebibytes
        kernel = (ours.kernel_seconds() - kernel) / rounds * 1024 / mebibytes
        memory = ours.peak_mib()
    for name, seconds in medians.items():
        print(f"{name:6} {mebibytes / seconds:6.0f} MiB/s  {cpu[name]:5.2f} CPU s/GiB")
    to_limit, to_form = medians["nginx"] / medians["ours"], medians["form"] / medians["ours"]
    to_bare, cpu_to_bare = medians["bare"] / medians["ours"], cpu["ours"] / cpu["bare"]
    print(f"ours / bare splice {to_bare:.2f} (goal 0.9), processor time {cpu_to_bare:.2f} (goal {MOST_CPU})")
    print(f"ours / nginx {to_limit:.2f} (goal 0.7) · ours / form {to_form:.1f} (goal 4)")
    print(f"{cpu['ours']:.2f} CPU s/GiB, {kernel:.2f} in the kernel (goal 0.4) · peak resident {memory:.0f} MiB")
    is_cheap = cpu["ours"] <= 0.4 or cpu_to_bare <= MOST_CPU
    return to_bare >= 0.9 and to_limit >= 0.7 and to_form >= 4 and is_cheap and memory < 150


def measure_memory(folder: Path, mebibytes: int, rounds: int) -> bool:
    """Print the memory of the web processes while UPLOADS videos come at once; return whether the goal holds."""
    video = real_video(folder / "video.mp4", mebibytes * MEBIBYTE)
    with gunicorn(SITE, environment=site_with_a_class(folder)) as ours:
        visitor, classroom = member(ours)
        visitors = [visitor, *(visitor.twin() for _ in range(UPLOADS - 1))]
        before = ours.peaks_mib()
        for _ in range(rounds):
            with ThreadPoolExecutor(UPLOADS) as threads:
                seconds = list(threads.map(lambda one: one.send_parts(video, classroom, parallel=1), visitors))
            shutil.rmtree(folder / "media" / "videos")
            print(f"{UPLOADS} uploads of {mebibytes} MiB at once in {max(seconds):.0f} s")
        after = ours.peaks_mib()
    print(f"peak resident of each web process: {shown(before)} before, {shown(after)} after (goal < 150 MiB)")
    return max(after) < 150


def shown(sizes_mib: list[float]) -> str:
    """Return sizes for reading."""
    return " and ".join(f"{size:.0f} MiB" for size in sizes_mib)


def measure_s3(folder: Path, mebibytes: int, rounds: int) -> bool:
    """Print the figures of S3 mode; return whether the goals hold."""
    import boto3

    video = real_video(folder / "video.mp4", mebibytes * MEBIBYTE)
    environment = site_with_a_class(folder)
    with s3_server() as address:
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", **{k.lower(): v for k, v in KEYS.items()}
        )
        client.create_bucket(Bucket=BUCKET)
        s3 = {"USE_S3": "True", "AWS_STORAGE_BUCKET_NAME": BUCKET, "AWS_S3_ENDPOINT_URL": address, **KEYS}
        with gunicorn(SITE, *ONE_WORKER, environment={**environment, **s3, "AWS_S3_ADDRESSING_STYLE": "path"}) as ours:
            visitor, classroom = member(ours)
            visitor.send_parts(video, classroom)  # the vendor's library is imported by the first
            visitor.app_bytes = 0
            cpu, written = ours.cpu_seconds(), ours.written_bytes()
            medians = rounds_of(
                {
                    "ours": lambda: visitor.send_parts(video, classroom),
                    "boto3": lambda: bare_multipart(client, video),
                },
                rounds,
            )
            cpu_per_gib = (ours.cpu_seconds() - cpu) / rounds * 1024 / mebibytes
            written = ours.written_bytes() - written
    for name, seconds in medians.items():
        print(f"{name:6} {mebibytes / seconds:6.0f} MiB/s")
    print(f"ours / boto3 {medians['boto3'] / medians['ours']:.2f} · video bytes through the app {visitor.app_bytes}")
    print(f"{cpu_per_gib:.3f} CPU s/GiB (goal 0.05) · {written / rounds / 1024:.0f} KiB written by the app an upload")
    return visitor.app_bytes == 0 and cpu_per_gib <= 0.05


MEASURES = {"local": measure_local, "s3": measure_s3, "memory": measure_memory}


def main() -> int:
    """Run what was asked for and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=MEASURES)
    parser.add_argument("--mebibytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measure = MEASURES[options.mode]
    with tempfile.TemporaryDirectory() as name:
        print(f"{options.mode}: {options.mebibytes} MiB, {PARALLEL} parts at a time, median of {options.rounds} rounds")
        return 0 if measure(Path(name), options.mebibytes, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
