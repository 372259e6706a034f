"""Measures uploads in parts against the least and the usual, each ratio in one run.

    python benchmarks/upload.py local --mebibytes 1024 --rounds 5
    python benchmarks/upload.py s3 --mebibytes 256 --rounds 5

`local`: ours (sign, PUT, and complete, durable at the end) against nginx's own PUT of the same parts to the same disk
(the limit; it keeps them as loose files and waits for no disk), and against one multipart form to the usual Django
view (`usual_view.py`). `s3`: ours against a bare boto3 multipart upload to the same S3 server (moto), with the video
bytes that reached the app counted. Prints medians of MiB/s and the app's processor time per GiB; ends with 0 when the
goals hold: ≥ 0.7 of nginx, ≥ 4 times the form, ≤ 0.4 CPU s/GiB; for S3 no video byte and ≤ 0.05 CPU s/GiB.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from practika import EMAIL, PASSWORD, SITE, production
from servers import MEBIBYTE, Server, free_port, gunicorn, manage
from upload_one_shot import ONE_WORKER, usual
from videos import real_video
from visitor import PROXIED, Refused, Visitor

PARALLEL = 4
BUCKET, KEYS = "practika", {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
NGINX = """
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/body; keepalive_timeout 1h;
  client_max_body_size 0; client_body_buffer_size 1m;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; location / {{ dav_methods PUT; }} }} }}
"""
# The person who sends, and their class.
PEOPLE = """
from accounts.models import Classroom, Membership, User
ada = User.objects.create_user({email!r}, {password!r}, name="Ada")
Membership.objects.create(user=ada, classroom=Classroom.objects.create(name="Tuesday dance"), role="instructor")
from allauth.account.models import EmailAddress
EmailAddress.objects.update_or_create(user=ada, email=ada.email, defaults={{"verified": True, "primary": True}})
"""


class PartsVisitor(Visitor):
    """Somebody whose browser sends a video in parts; `app_bytes` counts what the bodies of parts brought to the app."""

    app_bytes = 0

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """Ask the API and return its JSON."""
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        headers |= {"X-CSRFToken": self._cookies.get("csrftoken", ""), "Referer": "https://localhost/"}
        self._begin(method, path, headers, content)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise Refused(f"{answer.status}: {text[:500]!r}")
        return json.loads(text)

    def send_parts(self, video: Path, classroom: str) -> float:
        """Upload the video in parts, several at a time; return the seconds until its completion was answered."""
        started = time.perf_counter()
        self.complete(self.send_but_the_end(video, classroom), video)
        return time.perf_counter() - started

    def can_have(self, path: str) -> bool:
        """Return whether the first bytes of a file are there for this visitor."""
        try:
            self._ask("GET", path, expected=206, headers={"Range": "bytes=0-99"})
        except Refused:
            return False
        return True

    def complete(self, upload: dict, video: Path) -> dict:
        """Complete an upload whose parts are all there; return what the API says of the upload."""
        return self.call("POST", upload["completion_url"], {"size_bytes": video.stat().st_size})

    def send_but_the_end(self, video: Path, classroom: str) -> dict:
        """Upload the video in parts, several at a time, but do not complete it; return the upload.

        The calls are those of the browser (static/js/lib/signatures.js): links for ever more parts in one call.
        """
        size = video.stat().st_size
        fields = {"client_token": os.urandom(16).hex(), "size_bytes": size, "classroom": classroom}
        upload = self.call("POST", "/core/api/uploads/", fields)
        wishes = wished_parts(video, size, upload)
        signed = [link for some in ever_more(wishes) for link in self.call("POST", upload["parts_url"], some)["parts"]]
        part = upload["part_size_bytes"]
        pieces = [Piece(link["url"], (link["number"] - 1) * part, wish["size_bytes"], link["headers"])
                  for link, wish in zip(signed, wishes, strict=True)]  # fmt: skip
        self.app_bytes += sum(piece.length for piece in pieces if piece.url.startswith("/"))
        put_all(pieces, video, self._port)
        return upload


def wished_parts(video: Path, size: int, upload: dict) -> list[dict]:
    """Return what is said of each part when it is signed; SHA-256 only when the storage wants it."""
    part = upload["part_size_bytes"]

    def wish(offset: int) -> dict:
        said = {"number": offset // part + 1, "size_bytes": min(part, size - offset)}
        return said | ({"sha256": sha256(video, offset, said["size_bytes"])} if upload["wants_part_sha256"] else {})

    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(wish, range(0, size, part)))


def sha256(video: Path, offset: int, length: int) -> str:
    """Return the SHA-256 of a piece of the file."""
    with video.open("rb") as file:
        file.seek(offset)
        return hashlib.sha256(file.read(length)).hexdigest()


def ever_more(wishes: list[dict]) -> Iterator[dict]:
    """Yield the bodies of the calls that sign them: 2 parts, then 8, then 16 at a time."""
    at, count = 0, 2
    while at < len(wishes):
        yield {"parts": wishes[at : at + count]}
        at, count = at + count, min(16, count * 4)


@dataclass(frozen=True)
class Piece:
    """Bytes of the video, and the request that brings them; a path alone is on the loopback's port."""

    url: str
    offset: int
    length: int
    headers: dict[str, str] = field(default_factory=dict)


def put_all(pieces: list[Piece], video: Path, port: int) -> None:
    """PUT each piece of the file, PARALLEL at a time."""

    def lane(first: int) -> None:
        for piece in pieces[first::PARALLEL]:
            put(piece, video, port)

    with ThreadPoolExecutor(PARALLEL) as threads:
        list(threads.map(lane, range(PARALLEL)))


def put(piece: Piece, video: Path, port: int) -> None:
    """PUT one piece over a connection of its own; raises Refused."""
    there = urlsplit(piece.url)
    line = http.client.HTTPConnection(there.hostname or "127.0.0.1", there.port or port, timeout=600)
    line.putrequest("PUT", f"{there.path}?{there.query}", skip_host=bool(not there.hostname))
    headers = piece.headers if there.hostname else PROXIED
    for name, value in {**headers, "Content-Length": str(piece.length)}.items():
        line.putheader(name, value)
    line.endheaders()
    with video.open("rb") as file:
        line.sock.sendfile(file, piece.offset, piece.length)
    answer = line.getresponse()
    if answer.read() and answer.status >= 300:
        raise Refused(f"{answer.status} to a part")
    line.close()


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """Run nginx that writes what is PUT below `folder`/files."""
    port = free_port()
    (folder / "files").mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    for path in (folder, folder / "files"):  # nginx's workers run as somebody else when this runs as root
        path.chmod(0o777)
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], stderr=subprocess.DEVNULL)
    try:
        until_open(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Run moto in a process of its own; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def until_open(port: int) -> None:
    """Return when the port takes connections; RuntimeError after half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as line:
            line.connect()
            return
        time.sleep(0.05)
    raise RuntimeError("The server did not start.")


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

        servers = {"ours": ours, "nginx": limit, "form": form}
        cpu = {name: server.cpu_seconds() for name, server in servers.items()}
        medians = rounds_of(
            {
                "ours": emptied(folder / "media" / "videos", lambda: visitor.send_parts(video, classroom)),
                "nginx": emptied(folder / "files", to_nginx),
                "form": emptied(folder / "usual", lambda: Visitor(form.port).upload(video)),
            },
            rounds,
        )
        cpu = {name: (server.cpu_seconds() - cpu[name]) / rounds * 1024 / mebibytes for name, server in servers.items()}
        memory = ours.peak_mib()
    for name, seconds in medians.items():
        print(f"{name:6} {mebibytes / seconds:6.0f} MiB/s  {cpu[name]:5.2f} CPU s/GiB")
    to_limit, to_form = medians["nginx"] / medians["ours"], medians["form"] / medians["ours"]
    print(f"ours / nginx {to_limit:.2f} (goal 0.7) · ours / form {to_form:.1f} (goal 4)")
    print(f"{cpu['ours']:.2f} CPU s/GiB (goal 0.4) · peak resident {memory:.0f} MiB (goal < 150)")
    return to_limit >= 0.7 and to_form >= 4 and cpu["ours"] <= 0.4 and memory < 150


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


def bare_multipart(client, video: Path) -> float:
    """Upload the video by the vendor's client alone, in parts of the same size, as many at a time."""
    part, size, key = 16 * MEBIBYTE, video.stat().st_size, os.urandom(8).hex()
    started = time.perf_counter()
    named = {"Bucket": BUCKET, "Key": key}
    named["UploadId"] = client.create_multipart_upload(**named)["UploadId"]

    def send(number: int) -> dict:
        with video.open("rb") as file:
            file.seek((number - 1) * part)
            sent = client.upload_part(**named, PartNumber=number, Body=file.read(part))
        return {"PartNumber": number, "ETag": sent["ETag"]}

    with ThreadPoolExecutor(PARALLEL) as threads:
        parts = list(threads.map(send, range(1, -(-size // part) + 1)))
    client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    return time.perf_counter() - started


def main() -> int:
    """Run what was asked for and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["local", "s3"])
    parser.add_argument("--mebibytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measure = measure_local if options.mode == "local" else measure_s3
    with tempfile.TemporaryDirectory() as name:
        print(f"{options.mode}: {options.mebibytes} MiB, {PARALLEL} parts at a time, median of {options.rounds} rounds")
        return 0 if measure(Path(name), options.mebibytes, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
