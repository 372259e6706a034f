"""Measures the health answer's delay while 100 stalled uploads and 40 stalled viewers are open.

    python benchmarks/health_stalled.py [--worker-class gthread]

An uploader sends the head and a first bit of a body, then nothing; a viewer asks for a whole video and reads none
of it. Ends with 0 when p99 < 10 ms, else with 1. Health is asked on new connections, as load balancers do.
"""

import argparse
import contextlib
import os
import secrets
import select
import socket
import sys
import tempfile
from pathlib import Path

from health import delay_ms
from practika import EMAIL, PASSWORD, SEED, SITE
from servers import MEBIBYTE, Server, gunicorn, manage
from videos import real_video

UPLOADERS, VIEWERS = 100, 40
VIDEO_BYTES = 32 * MEBIBYTE  # more than the sockets on both sides buffer
GOAL_MS = 10
SESSION = """
from django.contrib.auth import get_user_model
from django.test import Client
from core.models import VideoAsset
client = Client()
client.force_login(get_user_model().objects.get(email={email!r}), "django.contrib.auth.backends.ModelBackend")
print(client.session.session_key, VideoAsset.objects.get().pk)
"""


def prepare(folder: Path) -> tuple[dict[str, str], str, str]:
    """Return the environment of a site, the session key of its instructor, and the key of its video."""
    environment = {"DJANGO_DB_NAME": str(folder / "db.sqlite3"), "DJANGO_MEDIA_ROOT": str(folder / "media")}
    manage(environment, "migrate", "--verbosity", "0")
    clip = real_video(folder / "clip.mp4", VIDEO_BYTES)
    script = SEED.format(clip=str(clip), email=EMAIL, password=PASSWORD, exercises=1) + SESSION.format(email=EMAIL)
    session, video = manage(environment, "shell", "--no-imports", "--command", script).split()[-2:]
    return environment, session, video


def stalled(port: int, request: str) -> socket.socket:
    """Send it and return the connection, whose answers nobody reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.connect(("127.0.0.1", port))
    client.sendall(request.encode())
    return client


def upload_head(session: str) -> str:
    """Return the start of a one-shot upload."""
    token = secrets.token_hex(16)
    return (
        "POST /core/api/upload-video/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n"
        f"Cookie: sessionid={session}; csrftoken={token}\r\nX-CSRFToken: {token}\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n....'
    )


def view(session: str, video: str) -> str:
    """Return a request for the whole video."""
    return f"GET /core/videos/{video}/stream/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n"


def measure(server: Server, session: str, video: str, samples: int) -> bool:
    """Print p50 and p99 and what became of the stalled clients; return whether the goal is met."""
    with contextlib.ExitStack() as stack:
        requests = [view(session, video)] * VIEWERS + [upload_head(session)] * UPLOADERS
        clients = [stack.enter_context(stalled(server.port, request)) for request in requests]
        select.select(clients[:VIEWERS], [], [], 5)  # some thread works by now
        delays = sorted(delay_ms(server.port) for _ in range(samples))
        answered = select.select(clients, [], [], 0)[0]
    viewers = sum(client in clients[:VIEWERS] for client in answered)
    p50, p99 = delays[samples // 2], delays[samples * 99 // 100]
    print(f"{VIEWERS} viewers ({viewers} have bytes), {UPLOADERS} uploads ({len(answered) - viewers} refused or ended)")
    print(f"health p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {delays[-1]:.1f} ms of {samples} new connections")
    print(f"goal p99 < {GOAL_MS} ms; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return p99 < GOAL_MS


def main() -> None:
    """Measure with gunicorn.conf.py's worker, or with the one named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker-class")
    parser.add_argument("--samples", type=int, default=2000)
    options = parser.parse_args()
    chosen = ["--worker-class", options.worker_class] if options.worker_class else []
    with tempfile.TemporaryDirectory() as folder:
        environment, session, video = prepare(Path(folder))
        with gunicorn(SITE, *chosen, environment=environment) as server:
            met = measure(server, session, video, options.samples)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
