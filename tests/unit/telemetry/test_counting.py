"""What processes count adds up: while they live, after they are killed, and when their files are full or torn."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.telemetry import tally
from core.telemetry.gathering import ENDED, settle_ended, totals
from core.telemetry.series import SERIES, Counter, Histogram
from core.telemetry.tally import LOST_KEY, SIZE_BYTES, SUFFIX, Tally, records

ROOT = Path(__file__).resolve().parents[3]
# Counts what its arguments say, tells that it did, and lives until it is killed or its input ends.
PROCESS = """
import sys
from pathlib import Path
from core.telemetry.catalog import LOGINS, PROCESSING_SECONDS
from core.telemetry.tally import count_in
count_in(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    LOGINS.add("ok")
PROCESSING_SECONDS.observe(7.0, "web", "done")
print("counted", flush=True)
sys.stdin.read()
"""
LOGINS, WORK = ("practika_logins_total", "ok"), ("practika_processing_seconds", "web", "done")


@pytest.fixture
def processes():
    """Return a function that starts a process which has counted; all of them end with the test."""
    started = []

    def start(folder, times):
        command = [sys.executable, "-c", PROCESS, str(folder), str(times)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "counted\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def here(monkeypatch):
    """Return a function that lets this process count in a folder, or in memory, for the test."""

    def count(folder=None):
        monkeypatch.setattr(tally.HERE, "folder", folder)
        monkeypatch.setattr(tally.HERE, "tally", Tally.in_file(folder) if folder else Tally.in_memory())
        return tally.HERE.tally

    return count


@pytest.fixture
def declared():
    """Return what declares a series for the test alone."""
    before = set(SERIES)
    yield Counter, Histogram
    for name in SERIES.keys() - before:
        del SERIES[name]


def test_the_living_and_the_killed_count_together_and_nothing_is_counted_twice(tmp_path, processes):
    killed, _living = processes(tmp_path, 3), processes(tmp_path, 40)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    for expected_files in (2, 1, 1):  # before the dead is settled, after it, and after nothing was left to settle
        assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == expected_files
        sums = totals(tmp_path)
        assert sums[LOGINS] == [43]
        assert (sum(sums[WORK][:-1]), sums[WORK][-1]) == (2, 14.0)
        assert settle_ended(tmp_path) == (1 if expected_files == 2 else 0)


def test_killed_between_adding_the_dead_and_removing_their_file_nothing_is_counted_twice(tmp_path, processes):
    process = processes(tmp_path, 5)
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    content = path.read_bytes()
    process.kill()
    process.wait(30)
    settle_ended(tmp_path)
    path.write_bytes(content)
    assert totals(tmp_path)[LOGINS] == [5]
    assert settle_ended(tmp_path) == 0
    assert not path.exists()
    assert totals(tmp_path)[LOGINS] == [5]


def test_a_forked_child_counts_in_a_file_of_its_own_and_its_parent_is_not_taken_for_dead(tmp_path, here, declared):
    counter = declared[0]("practika_test_total", "For this test.")
    here(tmp_path)
    counter.add()
    child = os.fork()
    if not child:
        counter.add(amount=10)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    counter.add()
    assert settle_ended(tmp_path) == 1
    assert totals(tmp_path)[("practika_test_total",)] == [12]
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 1


def test_threads_lose_no_count(here, declared):
    counter = declared[0]("practika_test_total", "For this test.", ("who",))
    here()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [counter.add("them") for _ in range(2000)], range(8)))
    assert totals(None)[("practika_test_total", "them")] == [16000]


def test_what_does_not_fit_is_counted_as_lost_and_changes_no_other_number(here, declared):
    counter = declared[0]("practika_test_total", "For this test.", ("who",))
    histogram = declared[1]("practika_test_seconds", "For this test.", (1.0, 2.0), ("who",))
    here()
    counter.add("first")
    for number in range(SIZE_BYTES // 200):
        counter.add(f"{number:0200}")
    lost = totals(None)[LOST_KEY][0]
    assert lost > 0
    histogram.observe(1.5, "somebody" * 50)
    counter.add("first")
    assert totals(None)[LOST_KEY] == [lost + 1]
    assert totals(None)[("practika_test_total", "first")] == [2]


def test_a_histogram_counts_by_upper_bounds_as_prometheus_does(here, declared):
    histogram = declared[1]("practika_test_seconds", "For this test.", (1.0, 2.0))
    here()
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.observe(value)
    assert totals(None)[("practika_test_seconds",)] == [2, 2, 1, 14.0]


def test_what_was_counted_before_a_folder_was_named_is_kept(tmp_path, here, declared):
    counter = declared[0]("practika_test_total", "For this test.")
    here()
    counter.add(amount=3)
    tally.count_in(tmp_path)
    counter.add()
    assert totals(tmp_path)[("practika_test_total",)] == [4]


@pytest.mark.parametrize("content", [b"", b"something else", b"figures1", b"figures1\xff\xff\xff\x7f\x01\x00\x00\x00"])
def test_a_file_that_is_empty_torn_or_foreign_counts_nothing(tmp_path, content):
    (tmp_path / f"a{SUFFIX}").write_bytes(content)
    (tmp_path / ENDED).write_bytes(content)
    assert totals(tmp_path) == {}
    assert settle_ended(tmp_path) == 1
    assert totals(tmp_path) == {}


def test_the_dead_of_a_release_with_other_buckets_do_not_mix_with_ours(tmp_path, processes):
    processes(tmp_path, 1)
    said = {"merged": [], "totals": [[list(WORK), [1, 1, 1]], [list(LOGINS), [2]]]}
    (tmp_path / ENDED).write_text(json.dumps(said))
    sums = totals(tmp_path)
    assert sums[LOGINS] == [3]
    assert sum(sums[WORK][:-1]) == 1


def test_a_record_that_is_being_written_is_not_there_yet(here):
    mine = here()
    mine.place(("practika_test_total",), 1)
    content = bytearray(bytes(mine.numbers))
    whole = dict(records(bytes(content)))
    position = 8 + int.from_bytes(content[8:12], "little")  # behind the first record
    content[position : position + 4] = bytes(4)  # the length is written last
    assert dict(records(bytes(content))).keys() == whole.keys() - {("practika_test_total",)}
