"""logscan tells errors, slow requests, and busy pages of a log of any length, whatever stands in it."""

import io
import json
import subprocess
import sys
import tracemalloc
import uuid
from io import StringIO

import pytest
from django.core.management import call_command

from core.operations.log_lines import LINE_BYTES, log_lines
from core.operations.logscan import OTHER, TOLD_APART, scan
from core.operations.percentiles import Percentiles
from tests.functional.test_server import ROOT, environment

pytestmark = pytest.mark.one_stack("development", why="asks neither database, cache, nor storage")


def line(level="INFO", message="Request served", **fields):
    whole = {"timestamp": "2026-01-31T12:00:00.000Z", "level": level, "logger": "core.access", "message": message}
    return json.dumps(whole | fields)


def served(path, duration_ms, status=200, request_id="r"):
    return line(method="GET", path=path, status=status, duration_ms=duration_ms, request_id=request_id)


@pytest.fixture
def log(tmp_path):
    """Return a function that writes lines to a file and returns its name."""

    def write(*lines):
        path = tmp_path / "practika.log"
        path.write_bytes(b"".join(one if isinstance(one, bytes) else f"{one}\n".encode() for one in lines))
        return str(path)

    return write


def run(*arguments):
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("logscan", *arguments, stdout=out, stderr=err)
    return ended.value.code, out.getvalue() + err.getvalue()


def told(*arguments):
    code, printed = run("--json", *arguments)
    return code, json.loads(printed)


def test_a_log_without_errors_is_0_and_names_the_busiest_paths(log):
    code, found = told(log(*[served("/", ms) for ms in range(1, 101)], served("/accounts/login/", 5)))
    assert (code, found["requests"], found["errors"], found["slow"]) == (0, 101, 0, 0)
    busiest, other = found["top_paths"]
    assert (busiest["path"], busiest["requests"], other["path"]) == ("/", 100, "/accounts/login/")
    assert 95 <= busiest["p95_ms"] <= 95 * 1.05
    assert 50 <= busiest["p50_ms"] <= 50 * 1.05


def test_keys_in_paths_are_counted_together(log):
    paths = [f"/exercises/{uuid.uuid4()}/" for _ in range(3)] + [f"/core/media/{'a' * 60}/"] * 2
    _, found = told(log(*[served(path, 1) for path in paths], served(f"/core/videos/{uuid.uuid4()}/thumbnails.vtt", 1)))
    assert [(path["path"], path["requests"]) for path in found["top_paths"]] == [
        ("/exercises/<id>/", 3), ("/core/media/<id>/", 2), ("/core/videos/<id>/thumbnails.vtt", 1)
    ]  # fmt: skip


def test_errors_are_1_and_counted_by_what_they_say(log):
    broken = [line("ERROR", f"Internal Server Error: /exercises/{uuid.uuid4()}/", request_id=f"r{n}") for n in range(3)]
    code, found = told(log(*broken, line("CRITICAL", "Worker timeout"), line("WARNING", "error in a word only")))
    assert (code, found["errors"]) == (1, 4)
    first = found["top_errors"][0]
    assert (first["message"], first["count"]) == ("Internal Server Error: /exercises/<id>/", 3)
    assert first["last_request_id"] == "r2"


def test_an_answer_of_500_and_above_is_1(log):
    code, found = told(log(served("/", 1, status=503)))
    assert (code, found["failed_requests"], found["errors"]) == (1, 1, 0)


def test_slow_requests_are_the_slowest_first_with_their_ids(log):
    name = log(*[served("/", ms, request_id=f"r{ms}") for ms in (900, 1000, 3000, 2000, 10)])
    code, found = told("--slow-ms", "1000", "--top", "2", name)
    assert (code, found["slow"]) == (0, 3)
    assert [(slow["request_id"], slow["duration_ms"]) for slow in found["slowest"]] == [
        ("r3000", 3000),
        ("r2000", 2000),
    ]
    code, printed = run(name)
    assert "Slow (from 1000 ms)" in printed
    assert printed.index("r3000") < printed.index("r2000") < printed.index("r1000")
    assert "r900" not in printed


@pytest.mark.parametrize(
    "odd",
    [
        b"not json\n",
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"level":\n',
        b"[" * 100_000 + b"\n",
        b"x" * (LINE_BYTES * 2) + b"\n",
        b"3",
    ],
    ids=["words", "array", "bytes", "cut", "deep", "long", "number"],
)
def test_a_line_that_cannot_be_read_is_counted_and_the_rest_goes_on(odd, log):
    _, found = told(log(served("/", 1), odd if odd == b"3" else odd + served("/", 1).encode()))
    assert found["unreadable"] == 1
    assert found["requests"] == (1 if odd == b"3" else 2)


@pytest.mark.parametrize("odd", [None, "slow", [], {}, True, 1e400, 10**400])
def test_a_duration_that_is_no_number_is_no_request_and_no_traceback(odd, log):
    code, found = told(log(served("/", odd), served("/", 1)))
    assert (code, found["unreadable"]) == (0, 0)
    assert found["requests"] in (1, 2)


def test_a_file_that_is_no_log_is_2(log, tmp_path):
    assert run(log("INFO 2026 words"))[0] == 2
    code, printed = run(str(tmp_path / "absent"))
    assert (code, "cannot be read" in printed) == (2, True)
    assert run(str(tmp_path))[0] == 2


def test_standard_input_is_read_when_no_file_is_named():
    done = subprocess.run([sys.executable, "manage.py", "logscan"], cwd=ROOT, env=environment(), capture_output=True,
                          text=True, input=served("/", 5) + "\n", timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "1 lines, 0 unreadable; 1 requests, 0 slow"


def test_the_lines_of_one_request_are_shown_with_their_traceback(log):
    name = log(
        served("/", 1, request_id="other"),
        line("ERROR", "Internal Server Error", request_id="mine", exception="Traceback\n  File\nValueError: \x1b[2J"),
        served("/", 7, 500, request_id="mine"),
    )
    code, printed = run(name, "--request-id", "mine")
    assert code == 0
    assert "    exception:   File\n" in printed
    assert "\x1b" not in printed
    assert "other" not in printed
    code, printed = run(name, "--request-id", "mine", "--json")
    assert [json.loads(text)["level"] for text in printed.splitlines()] == ["ERROR", "INFO"]
    assert run(name, "--request-id", "nobody") == (1, "")


def test_memory_stays_flat_however_many_paths_strangers_ask_for():
    class Endless(io.RawIOBase):
        """Half a million requests, each for another path."""

        def __init__(self):
            self.left = 500_000

        def readline(self, size=-1):
            self.left -= 1
            return served(f"/wp-{self.left}", self.left % 5000).encode() if self.left >= 0 else b""

    lines = log_lines(Endless())
    tracemalloc.start()
    try:
        found = scan((next(lines) for _ in range(20_000)), slow_ms=1000, keep=10)
        size, peak = tracemalloc.get_traced_memory()
        for one in (next(lines) for _ in range(20_000)):
            found.add(one)
        assert tracemalloc.get_traced_memory()[0] < size + 200_000
        assert peak < 20_000_000
    finally:
        tracemalloc.stop()
    assert found.requests == 40_000
    assert len(found.paths) == TOLD_APART + 1
    assert found.paths[OTHER].count == 40_000 - TOLD_APART


def test_percentiles_are_at_most_5_percent_high():
    times = Percentiles()
    for value in range(1, 10_001):
        times.add(value)
    for share in (0.01, 0.5, 0.95, 0.99, 1.0):
        assert share * 10_000 <= times.at(share) <= share * 10_000 * 1.05
    assert Percentiles().at(0.95) == 0
