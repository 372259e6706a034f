"""The monitor tells people once that something went down, and once that it came back."""

import contextlib
import fcntl
import http.server
import json
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command

from core.operations.monitor import ticks
from tests.functional.test_server import ROOT, environment

pytestmark = pytest.mark.one_stack("development", why="brings a site of its own")

METRICS = b'# TYPE practika_jobs gauge\npractika_jobs{state="failed"} 2.0\npractika_jobs{state="queued"} 7.0\n'


class Site:
    """An HTTP server whose answers tests change, and that keeps what is posted to it."""

    def __init__(self):
        self.status, self.body, self.hook_status, self.posted, self.bearer = 200, b'{"status": "ready"}', 200, [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.bearer.append(self.headers["Authorization"])
                self.answer(outer.status, METRICS if "metrics" in self.path else outer.body)

            def do_POST(self):
                outer.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(outer.hook_status, b"")

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def config(tmp_path, site):
    """Return a function that writes a configuration; it watches `site` and tells the webhook there and one person."""

    def write(alerts=True, **probe):
        given = {"probes": [{"name": "ready", "url": f"{site.url}/core/ready/", "failures": 2, **probe}]}
        if alerts:
            given["alerts"] = {"webhook": f"{site.url}/hook", "emails": ["ops@example.org"]}
        path = tmp_path / "monitor.json"
        path.write_text(json.dumps(given))
        return str(path)

    return write


def once(name, *arguments):
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("monitor", "--config", name, "--once", *arguments, stdout=out, stderr=err)
    return ended.value.code, out.getvalue() + err.getvalue()


def test_all_up_is_0_and_tells_nobody(config, site):
    code, printed = once(config())
    assert code == 0
    assert "ok  ready  200 in" in printed
    assert (site.posted, mail.outbox) == ([], [])


def test_down_is_told_once_after_two_bad_rounds_and_up_once(config, site):
    name = config()
    site.status = 503
    codes = [once(name)[0] for _ in range(4)]
    assert codes == [1, 1, 1, 1]
    assert [alert["state"] for alert in site.posted] == ["down"]
    assert site.posted[0]["probe"] == "ready"
    assert "ready is down since" in site.posted[0]["text"]
    assert "answered 503, not 200" in site.posted[0]["text"]
    site.status = 200
    assert [once(name)[0] for _ in range(3)] == [0, 0, 0]
    assert [alert["state"] for alert in site.posted] == ["down", "up"]
    assert [message.subject for message in mail.outbox] == ["Practika: ready is down", "Practika: ready is up"]
    assert mail.outbox[0].to == ["ops@example.org"]


def test_one_bad_round_between_good_ones_is_no_alert(config, site):
    name = config()
    for status in (503, 200, 503, 200):
        site.status = status
        once(name)
    assert site.posted == []


def test_a_webhook_that_was_down_hears_it_later_and_mail_is_not_repeated(config, site):
    name = config(failures=1)
    site.status, site.hook_status = 503, 500
    code, printed = once(name)
    assert code == 2
    assert "NOT told by webhook: the webhook answered 500" in printed
    site.hook_status = 200
    assert once(name)[0] == 1
    assert [alert["state"] for alert in site.posted] == ["down", "down"]
    once(name)
    assert len(site.posted) == 2
    assert len(mail.outbox) == 1


def test_a_site_that_is_gone_is_down(config, site, tmp_path):
    name = config(failures=1, url="http://127.0.0.1:9/")
    assert once(name)[0] == 1
    assert "nothing listens there" in site.posted[0]["detail"]


@pytest.mark.parametrize(
    ("probe", "code"),
    [
        ({"contains": "ready"}, 0),
        ({"contains": "degraded"}, 1),
        ({"max_ms": 0.0001}, 1),
        ({"status": 301}, 1),
        ({"metric": "practika_jobs", "labels": 'state="failed"', "maximum": 2}, 0),
        ({"metric": "practika_jobs", "labels": 'state="failed"', "maximum": 1}, 1),
        ({"metric": "practika_jobs", "minimum": 9, "maximum": 9}, 0),
        ({"metric": "practika_workers"}, 1),
    ],
)
def test_thresholds(probe, code, config, site):
    if "metric" in probe:
        probe["url"] = f"{site.url}/core/metrics/"
    assert once(config(alerts=False, **probe))[0] == code


def test_a_redirect_is_not_followed(config, site):
    site.status = 302
    assert once(config(alerts=False))[0] == 1


def test_a_token_comes_from_a_file(config, site, tmp_path):
    (tmp_path / "token").write_text("a-token\n")
    assert once(config(bearer_file="token"))[0] == 0
    assert site.bearer == ["Bearer a-token"]
    assert once(config(bearer_file="absent"))[0] == 1


def test_toml_and_json_output_work_as_well(tmp_path, site):
    path = tmp_path / "monitor.toml"
    (tmp_path / "hook").write_text(f"{site.url}/hook\n")
    path.write_text(f'[[probes]]\nname = "a"\nurl = "{site.url}/"\nstatus = 404\nfailures = 1\n'
                    '[alerts]\nwebhook_file = "hook"\n')  # fmt: skip
    code, printed = once(str(path), "--json")
    assert (code, json.loads(printed)["told"][0]["way"], len(site.posted)) == (1, "webhook", 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"probes": [{"name": "a"}]}',
        '{"probes": [{"name": "a", "url": "localhost"}]}',
        '{"probes": [{"name": "a", "url": "http://h", "max_msec": 1}]}',
        '{"probes": [{"name": "a", "url": "http://h", "max_ms": "1"}]}',
        '{"probes": [{"name": "a", "url": "http://h", "timeout_s": 0}]}',
        '{"probes": [{"name": "a", "url": "http://h"}, {"name": "a", "url": "http://h"}]}',
        '{"probes": [{"name": "a", "url": "http://h"}], "every_s": 0}',
        '{"probes": [{"name": "a", "url": "http://h"}], "alerts": {"emails": "one"}}',
        '{"probes": [{"name": "a", "url": "http://h"}], "alerts": {"webhook_file": "absent"}}',
        '{"probes": [{"name": "a", "url": "http://h"}], "every": 5}',
    ],
)
def test_a_configuration_that_cannot_be_used_is_2_with_one_sentence(text, tmp_path):
    path = tmp_path / "monitor.json"
    path.write_text(text)
    code, printed = once(str(path))
    assert code == 2
    assert printed.count("\n") == 1


def test_a_state_file_that_is_damaged_or_in_use_is_2(config, tmp_path):
    name = config()
    (tmp_path / "monitor-state.json").write_text("{")
    code, printed = once(name)
    assert (code, "is damaged" in printed) == (2, True)
    (tmp_path / "monitor-state.json").unlink()
    with (tmp_path / "monitor-state.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, printed = once(name)
    assert (code, "Another monitor" in printed) == (2, True)


def test_rounds_keep_to_the_times_counted_from_the_start():
    now, begun, took = [100.0], [], iter([3.0, 25.0, 1.0, 0.0])

    def wait(seconds):
        now[0] += seconds
        return len(begun) == 4

    for _ in ticks(10.0, wait=wait, clock=lambda: now[0]):
        begun.append(now[0])
        now[0] += next(took)
    assert begun == [100.0, 110.0, 140.0, 150.0]


def test_a_running_monitor_goes_round_until_it_is_told_to_stop(config, site):
    path = Path(config(alerts=False))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"every_s": 0.05}))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "monitor", "--config", path, "--json"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with contextlib.closing(process.stdout):
        rounds = [json.loads(next(process.stdout)) for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        for _ in process.stdout:
            pass
        assert process.wait(30) == 0
    assert {finding["state"] for done in rounds for finding in done["probes"]} == {"ok"}
