"""Two real servers of one site behind the real nginx with the shipped configuration, all killed at will.

Ben comes to nginx by TLS (`address`); `a` and `b` are the servers, on one database and one folder of media.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.faults.site import Site, until
from tests.nginx import listening, start_of_nginx

HOST = "localhost"
RESETS = 3
SERVER = {
    "DJANGO_TRUSTED_PROXY_COUNT": "1",
    "PRACTIKA_X_ACCEL_PREFIX": "/protected-media",
    "PRACTIKA_DRAIN_SECONDS": "1",
    "PRACTIKA_LIMIT_PASSWORD_RESET": f"{RESETS}/1h,100/1h",
    "WEB_CONCURRENCY": "1",
    "METRICS_TOKEN": "a-token-of-these-tests",
}


@dataclass
class Balanced(Site):
    """The site as people reach it: through nginx, which is given `a` and `b`."""

    a: Site | None = None
    b: Site | None = None
    folder_of_nginx: Path | None = None
    https_port: int = 0

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.https_port}"

    @property
    def certificate(self) -> str:
        return str(self.folder_of_nginx / "fullchain.pem")

    def visitor(self) -> requests.Session:
        made = super().visitor()
        made.headers["Referer"] = f"{self.address}/"  # Django wants it of a form that comes by TLS
        return made

    def _is_up(self) -> bool:
        return requests.get(f"{self.address}/core/health/", timeout=10).ok


def restart(server: Site) -> int:
    """Stop a server as operators do, start it again, and return its exit code once it is ready."""
    server.process.terminate()
    code = server.process.wait(60)
    server.start()
    until(lambda: requests.get(f"{server.address}/core/ready/", timeout=10).ok, 60)
    return code


@contextlib.contextmanager
def balanced(prepared: Site, folder: Path) -> Iterator[Balanced]:
    """Start two servers and nginx; requests of this process trust its certificate only through `certificate`."""
    a = prepared.copied_to(folder, SERVER)
    b = Site(folder, SERVER, classroom=a.classroom, session=a.session)
    with contextlib.ExitStack() as stack:
        for server in (a, b):
            stack.callback(server.stop)
            server.start()
        listeners = stack.enter_context(listening())
        its = folder / "nginx"
        its.mkdir()
        values: dict[str, Any] = {
            "PRACTIKA_UPSTREAM_A": f"127.0.0.1:{a.port}",
            "PRACTIKA_UPSTREAM_B": f"127.0.0.1:{b.port}",
        }
        values |= {"S3_HOST": "videos.example.org", "S3_UPSTREAM": "127.0.0.1:9", "PRACTIKA_MEDIA_FOLDER": str(a.media)}
        nginx = subprocess.Popen(**start_of_nginx(its, listeners, HOST, values), stderr=subprocess.DEVNULL)
        stack.callback(lambda: (nginx.terminate(), nginx.wait(30)))
        yield Balanced(
            folder, SERVER, classroom=a.classroom, session=a.session, a=a, b=b, folder_of_nginx=its,
            https_port=listeners["443"].getsockname()[1],
        )  # fmt: skip
