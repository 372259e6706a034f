"""The real Prometheus, Alertmanager, and Blackbox exporter with the shipped configuration, watching a site.

with watching(site.address, certificate=…, token=…, folder=…) as watch:
    watch.rules(), watch.value("up"), watch.pages
"""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from tests.functional.test_server import ROOT

PROGRAMS = ("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter")
SHIPPED = ROOT / "ops" / "prometheus"


@dataclass
class Watch:
    """`address` is Prometheus's; `pages` is what on-call got, one notification each."""

    address: str
    pages: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API, or nothing while it starts."""
        with contextlib.suppress(requests.ConnectionError):
            answer = requests.get(f"{self.address}/api/v1/{path}", params=parameters, timeout=30)
            return answer.json()["data"] if answer.ok else None

    def value(self, expression: str) -> list[float]:
        """Return the values of an expression at this moment."""
        found = self.ask("query", query=expression) or {"result": []}
        return [float(one["value"][1]) for one in found["result"]]

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its state and its health."""
        found = self.ask("rules") or {"groups": []}
        return [rule for group in found["groups"] for rule in group["rules"]]


def missing_programs() -> list[str]:
    """Return which of the three this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name)]


@contextlib.contextmanager
def watching(address: str, *, certificate: str, token: str, folder: Path) -> Iterator[Watch]:
    """Watch the site at `address`, at a pace for tests."""
    ports = {name: _free_port() for name in PROGRAMS}
    with contextlib.ExitStack() as stack:
        pager = _Pager(("127.0.0.1", 0), _Page)
        threading.Thread(target=pager.serve_forever, daemon=True).start()
        stack.callback(pager.server_close)
        stack.callback(pager.shutdown)
        _configure(
            folder, address.removeprefix("https://"), certificate, f"http://127.0.0.1:{pager.server_port}", ports
        )
        (folder / "practika.token").write_text(token)
        (folder / "smtp.password").write_text("secret")
        for name, options in _options(ports).items():
            with (folder / f"{name}.log").open("wb") as log:
                process = subprocess.Popen([name, *options], cwd=folder, stdout=log, stderr=log)
            stack.callback(lambda process=process: (process.kill(), process.wait(30)))
        yield Watch(f"http://127.0.0.1:{ports['prometheus']}", pager.pages)


def _configure(folder: Path, site: str, certificate: str, pager: str, ports: dict[str, int]) -> None:
    """Write the shipped files with these addresses, seconds for minutes, and a certificate that is our own."""
    trusted = f"tls_config: {{ca_file: {certificate}}}"
    changes = {
        "practika.example.org": site,
        "localhost:9093": f"127.0.0.1:{ports['prometheus-alertmanager']}",
        "localhost:9115": f"127.0.0.1:{ports['prometheus-blackbox-exporter']}",
        "https://pager.example.org/practika": pager,
        "interval: 30s": "interval: 1s",
        "scrape_timeout: 15s": f"scrape_timeout: 1s\n    {trusted}",
        "fail_if_not_ssl: true": f"fail_if_not_ssl: true\n      {trusted}",
        "group_wait: 10s": "group_wait: 0s",
    }
    for shipped in SHIPPED.glob("*.yml"):
        text = re.sub("|".join(map(re.escape, changes)), lambda found: changes[found[0]], shipped.read_text())
        (folder / shipped.name).write_text(text)


def _options(ports: dict[str, int]) -> dict[str, list[str]]:
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return {
        "prometheus-blackbox-exporter": [
            "--config.file=blackbox.yml", f"--web.listen-address={at['prometheus-blackbox-exporter']}",
        ],
        "prometheus-alertmanager": [
            "--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address=",
            f"--web.listen-address={at['prometheus-alertmanager']}",
        ],
        "prometheus": [
            "--config.file=prometheus.yml", "--storage.tsdb.path=series", f"--web.listen-address={at['prometheus']}",
        ],
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Pager(ThreadingHTTPServer):
    """Keeps what Alertmanager posts."""

    daemon_threads = True

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.pages: list[dict[str, Any]] = []


class _Page(BaseHTTPRequestHandler):
    server: _Pager

    def do_POST(self) -> None:
        self.server.pages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass
