"""gunicorn's settings; it finds this file by its name when started in the project's root.

# Note [Threads, and what they wait for]
Threads because a slow upload must not hold a whole process: the worker's main loop reads the heads of requests,
answers health itself (core/gunicorn_worker.py) and tells the master that it lives, while requests run in threads.
So `timeout` ends a worker whose main loop hangs, never one slow request. Few threads keep memory and SQLite's lock
queue short. Our worker class stands on internals of gunicorn; another series of gunicorn gets its own `gthread`,
which serves the same, only not while all threads wait.

# Note [Bad settings stop the start]
Settings are read here, in the master, before it opens a socket or forks: what is wrong is said once, in
sentences, and the process ends with 1. Read by workers only, the same mistake would be a traceback per
worker.
"""

import os
import sys
from pathlib import Path
from typing import Any

import gunicorn
from django.core.exceptions import ImproperlyConfigured

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 (gunicorn makes an unnamed file of its own there)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")

try:
    import practika_project.settings
    from core.draining import drain_at_sigterm
    from core.gunicorn_logger import GunicornLogger
    from practika_project import env

    workers = env.number("WEB_CONCURRENCY", 2, minimum=1)
    env.stop_if_refused()
except ImproperlyConfigured as error:
    sys.exit(str(error))

bind = "0.0.0.0:8000"
worker_class = "core.gunicorn_worker.HealthWorker" if gunicorn.version_info[:2] == (27, 0) else "gthread"
threads = 8

timeout = 60
# From SIGTERM to the end of whatever still runs: what is told to stop serves on first (core/draining.py).
graceful_timeout = practika_project.settings.DRAIN_SECONDS + 30
# Longer than load balancers keep an idle connection (60 s is common), so that they close it, never we.
keepalive = 75

# The worker's sign of life is a file's time stamp; on a disk under load that write can wait.
if MEMORY_FOLDER.is_dir():
    worker_tmp_dir = str(MEMORY_FOLDER)

logger_class = GunicornLogger
# The control socket would write below the home folder, and signals do all that is needed.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Stop where production has no static files: every page would answer 500 while health and readiness are fine."""
    manifest = practika_project.settings.STATIC_ROOT / "staticfiles.json"
    if practika_project.settings.PRODUCTION and not os.access(manifest, os.R_OK):
        sys.exit(
            f"Static files are not collected: {manifest} cannot be read. Run python manage.py collectstatic --noinput "
            "with the same variables, as the account that runs Practika."
        )


def when_ready(server: Any) -> None:
    """Let the master's SIGTERM reach readiness first; gunicorn has just set its own handlers."""
    drain_at_sigterm()
