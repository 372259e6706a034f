"""Measures the rate of the health answer beside a bare WSGI callable, django-health-check and nginx.

    python benchmarks/health_beside.py [--peer PYTHON]

PYTHON is the interpreter of an environment with `django-health-check` and `gunicorn`; it and nginx are left out
when they are not there. All have 2 processes; gunicorn's have 8 threads. `wrk` must be installed. Ends with 0 when
ours answers at least 5 times what the bare callable does under plain gthread, by the processor time of the servers:
on a machine that others use, requests per second say as much about the others.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from health import rate_by_wrk
from practika import SITE
from servers import Server, free_port, gunicorn

GOAL = 5.0
NGINX = """
worker_processes 2; daemon off; pid {folder}/pid; error_log stderr crit; events {{ }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 10000000;
server {{ listen 127.0.0.1:{port}; default_type application/json;
location / {{ return 200 '{{"status": "healthy"}}'; }} }} }}
"""
PEER = """
import django
from django.conf import settings
from django.urls import path
from django.core.wsgi import get_wsgi_application
settings.configure(SECRET_KEY="benchmark", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, INSTALLED_APPS=["health_check"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}])
django.setup()
from health_check.views import HealthCheckView
urlpatterns = [path("core/health/", HealthCheckView.as_view(checks=[]))]
application = get_wsgi_application()
"""


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[Server]:
    """Run another server until the block ends."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        time.sleep(3)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def servers(folder: Path, peer: str | None) -> Iterator[dict[str, Server]]:
    """Start all of them; yield them by name."""
    with contextlib.ExitStack() as stack:
        plain = gunicorn("health:bare", "--worker-class", "gthread")
        found = {"ours": stack.enter_context(gunicorn(SITE)), "bare WSGI callable": stack.enter_context(plain)}
        if shutil.which("nginx"):
            port = free_port()
            (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
            command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
            found["nginx return 200"] = stack.enter_context(running(command, port, folder))
        if peer:
            port = free_port()
            (folder / "peer.py").write_text(PEER)
            options = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--keep-alive", "75"]
            options += ["--no-control-socket", "--log-level", "warning"]
            command = [peer, "-m", "gunicorn", "peer:application", "--bind", f"127.0.0.1:{port}", *options]
            found["django-health-check"] = stack.enter_context(running(command, port, folder))
        yield found


def measured(server: Server, seconds: float) -> tuple[float, float]:
    """Return requests/s, and requests per second of the server's processor time."""
    used = server.cpu_seconds()
    rate = rate_by_wrk(server.port, seconds)
    return rate, rate * seconds / max(server.cpu_seconds() - used, 0.01)


def main() -> None:
    """Print the medians of interleaved rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), options.peer) as found:
        Path(folder).chmod(0o755)
        rounds = [[measured(server, options.seconds) for server in found.values()] for _ in range(options.rounds)]
    medians = [tuple(map(statistics.median, zip(*results, strict=True))) for results in zip(*rounds, strict=True)]
    by_name = dict(zip(found, medians, strict=True))
    bare = by_name["bare WSGI callable"]
    print(f"{'':22}{'requests/s':>12}{'of bare':>9}{'per CPU second':>16}{'of bare':>9}")
    for name, (rate, per_cpu) in by_name.items():
        print(f"{name:22}{rate:12.0f}{rate / bare[0]:9.2f}{per_cpu:16.0f}{per_cpu / bare[1]:9.2f}")
    print(f"goal: ours ≥ {GOAL} of bare; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    sys.exit(0 if by_name["ours"][1] >= GOAL * bare[1] else 1)


if __name__ == "__main__":
    main()
