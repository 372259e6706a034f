"""Measures the one-shot upload against the usual Django FileField view, both under the same gunicorn, in one run.

    python benchmarks/upload_one_shot.py --mebibytes 1024 --rounds 5

Ours receives, hashes, decodes, and stores; the usual view only receives and stores. Prints the throughput of both
(MiB/s, median), their ratio, the peak resident memory of our worker, and the bytes on disk per byte sent. Ends with 0
when ours is ahead, below 150 MiB, and stores the bytes once.
"""

import argparse
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
BOUNDARY = "practika-benchmark"
MEBIBYTE = 1024**2
MEMORY_GOAL_MIB = 150

USUAL_VIEW = """
import os
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="benchmark", ROOT_URLCONF=__name__, MEDIA_ROOT=os.environ["MEDIA"],
    FILE_UPLOAD_TEMP_DIR=os.environ["MEDIA"], DATABASES={})
django.setup()
from django import forms
from django.core.files.storage import default_storage
class Usual(forms.Form):
    video = forms.FileField()
def view(request):
    form = Usual(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(form.errors.as_json(), status=422)
    default_storage.save("video.mp4", form.cleaned_data["video"])
    return HttpResponse(status=201)
urlpatterns = [path("core/api/upload-video/", view)]
application = get_wsgi_application()
"""


def main() -> int:
    """Run the rounds, print the figures, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = real_video(folder / "video.mp4", options.mebibytes)
        size = video.stat().st_size
        ours, usual = start_practika(folder), start_usual(folder)
        try:
            headers = log_in(ours.port, folder)
            speeds: dict[str, list[float]] = {"ours": [], "usual": []}
            stored = 0.0
            for _ in range(options.rounds):
                speeds["usual"].append(upload(usual.port, video, {}))
                clear(folder / "usual")
                speeds["ours"].append(upload(ours.port, video, headers))
                stored = disk_bytes(folder / "media") / size
                clear(folder / "media")
            memory = peak_memory_mib(ours.process.pid)
        finally:
            for server in (ours, usual):
                server.process.terminate()
                server.process.wait()
    mine, theirs = statistics.median(speeds["ours"]), statistics.median(speeds["usual"])
    print(f"ours {mine:.0f} MiB/s · usual view {theirs:.0f} MiB/s · ratio {mine / theirs:.2f} (goal: ahead)")
    print(
        f"peak resident {memory:.0f} MiB (goal < {MEMORY_GOAL_MIB}) · bytes on disk per byte sent {stored:.3f} (goal 1)"
    )
    return 0 if mine > theirs and memory < MEMORY_GOAL_MIB and stored < 1.01 else 1


class Server:
    """A gunicorn of one worker with eight threads on a free port."""

    def __init__(self, application: str, folder: Path, environment: dict[str, str], config: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{self.port}", "-c", config]
        command += ["-k", "gthread", "-w", "1", "--threads", "8", "--timeout", "600"]
        log = (folder / f"{self.port}.log").open("wb")
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit((folder / f"{self.port}.log").read_text())


def practika_environment(folder: Path) -> dict[str, str]:
    """Return an environment with a database and media in `folder`."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DJANGO_DB_NAME": str(folder / "db.sqlite3"),
        "DJANGO_MEDIA_ROOT": str(folder / "media"),
        "DJANGO_LOG_LEVEL": "WARNING",
    }


def start_practika(folder: Path) -> Server:
    """Start the site with an empty database."""
    environment = practika_environment(folder)
    subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"], env=environment, check=True)
    return Server("practika_project.wsgi:application", folder, environment, str(ROOT / "gunicorn.conf.py"))


def start_usual(folder: Path) -> Server:
    """Start the usual view."""
    (folder / "usual").mkdir()
    (folder / "usual_view.py").write_text(USUAL_VIEW)
    environment = {**os.environ, "PYTHONPATH": str(folder), "MEDIA": str(folder / "usual")}
    return Server("usual_view:application", folder, environment, "python:gunicorn.glogging")


def log_in(port: int, folder: Path) -> dict[str, str]:
    """Make an instructor with one class and return the headers of their session."""
    script = """
from django.test import Client
from accounts.models import *
user = User.objects.create_user("ada@example.org", "x", name="Ada")
Membership.objects.create(user=user, classroom=Classroom.objects.create(name="Class"), role="instructor")
client = Client()
client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
client.get("/accounts/profile/", HTTP_HOST="localhost")
print("PAIR", client.cookies["sessionid"].value, client.cookies["csrftoken"].value)
"""
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "-v0", "-c", script]
    done = subprocess.run(command, env=practika_environment(folder), check=True, capture_output=True, text=True)
    session, token = done.stdout.split("PAIR ")[1].split()[:2]
    return {"Cookie": f"sessionid={session}; csrftoken={token}", "X-CSRFToken": token}


def upload(port: int, video: Path, headers: dict[str, str]) -> float:
    """Send the video as a browser would and return MiB/s until the answer."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\nTry\r\n--{BOUNDARY}\r\n'
        'Content-Disposition: form-data; name="video"; filename="video.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    size = video.stat().st_size
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.putrequest("POST", "/core/api/upload-video/")
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    length = str(len(head) + size + len(tail))
    for name, value in {**headers, "Content-Type": content_type, "Content-Length": length}.items():
        connection.putheader(name, value)
    connection.endheaders(head)
    with video.open("rb") as file:
        connection.sock.sendfile(file)
    connection.sock.sendall(tail)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        raise SystemExit(f"{answer.status}: {body[:500]!r}")
    return size / MEBIBYTE / (time.perf_counter() - started)


def real_video(path: Path, mebibytes: int) -> Path:
    """Write a playable video of that size: a short clip and a `free` box, which players skip."""
    from core.media.clips import write_clip

    write_clip(path, seconds=5)
    padding = mebibytes * MEBIBYTE - path.stat().st_size
    with path.open("ab") as file:
        file.write((1).to_bytes(4, "big") + b"free" + padding.to_bytes(8, "big"))
        block = os.urandom(MEBIBYTE)
        for _ in range((padding - 16) // MEBIBYTE):
            file.write(block)
        file.write(block[: (padding - 16) % MEBIBYTE])
    return path


def disk_bytes(folder: Path) -> int:
    """Return what the folder's files take on disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def clear(folder: Path) -> None:
    """Remove what a round stored, so that disks do not fill."""
    shutil.rmtree(folder)
    folder.mkdir()


def peak_memory_mib(master: int) -> float:
    """Return the largest peak resident memory among the workers of a gunicorn, in MiB."""
    peaks = [0.0]
    for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
        for line in Path(f"/proc/{child}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                peaks.append(int(line.split()[1]) / 1024)
    return max(peaks)


if __name__ == "__main__":
    sys.exit(main())
