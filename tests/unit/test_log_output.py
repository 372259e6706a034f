"""No reader of the log lines can hold up a request, and none is left in the dark about missing lines."""

import contextlib
import json
import logging
import os
import select
import threading
import time

import pytest

from core.log_output import HANDLERS, NonBlockingHandler
from core.logs import JsonFormatter


def record(message="Video upload completed", **extra):
    made = logging.LogRecord("core.uploads", logging.INFO, __file__, 1, message, (), None)
    made.__dict__.update(extra)
    return made


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for handler in HANDLERS:
        if handler.descriptor == writer:
            handler.close()
    with contextlib.suppress(OSError):  # closed by the test itself
        os.close(reader)
    # Without a reader a stalled writer goes on; the descriptor's number must not be reused before that.
    for thread in threading.enumerate():
        if thread.name == f"log-writer-{writer}":
            thread.join(10)
    with contextlib.suppress(OSError):
        os.close(writer)


def handler_on(descriptor, **options):
    handler = NonBlockingHandler(descriptor, **options)
    handler.setFormatter(JsonFormatter())
    return handler


def lines_of(reader):
    return open(reader, closefd=False)


def fill(writer):
    """Fill the pipe to its brim with empty lines, so that whoever writes next is stalled."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"\n" * select.PIPE_BUF):
            pass
    os.set_blocking(writer, True)


def read_until(lines, wanted):
    """Read lines until one has the wanted message; return all of them as objects."""
    found = []
    for line in filter(str.strip, lines):
        found.append(json.loads(line))
        if found[-1]["message"] == wanted:
            break
    return found


def test_a_stalled_reader_holds_up_nobody_and_learns_how_many_lines_it_missed(pipe):
    reader, writer = pipe
    fill(writer)
    handler = handler_on(writer, queue_bytes=100_000)
    logged = 5000
    everything_is_logged = threading.Event()

    def log():
        for number in range(logged):
            handler.emit(record(number=number))
        everything_is_logged.set()

    threading.Thread(target=log, daemon=True).start()
    assert everything_is_logged.wait(20), "logging waited for the reader"
    assert handler.dropped > 0

    lines = lines_of(reader)
    found = read_until(lines, "Log lines dropped")
    arrived = [line["number"] for line in found if "number" in line]
    report = found[-1]
    assert report["level"] == "WARNING"
    # Some lines may still be queued when the report comes: they were not dropped, so they do arrive.
    handler.emit(record("the end"))
    arrived += [line["number"] for line in read_until(lines, "the end") if "number" in line]
    assert arrived == sorted(set(arrived))
    assert len(arrived) + handler.dropped == logged
    assert report["lines_dropped"] == handler.dropped
    handler.close()


def test_a_reader_that_went_away_holds_up_nobody(pipe):
    reader, writer = pipe
    os.close(reader)
    handler = handler_on(writer)
    for _ in range(10):
        handler.emit(record())
    handler.flush()
    assert handler.dropped == 10
    handler.close()


def test_every_outage_is_reported_with_its_own_count(tmp_path):
    path = tmp_path / "log"
    full, usable = os.open("/dev/full", os.O_WRONLY), os.open(path, os.O_WRONLY | os.O_CREAT)
    handler = handler_on(os.dup(full))
    for _ in range(2):
        os.dup2(full, handler.descriptor)
        handler.emit(record("lost"))
        handler.flush()
        os.dup2(usable, handler.descriptor)
        handler.emit(record("back"))
        handler.flush()
    handler.close()

    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"] for line in found] == ["back", "Log lines dropped"] * 2
    assert [line["lines_dropped"] for line in found[1::2]] == [1, 1]
    assert handler.dropped == 2
    for descriptor in (full, usable, handler.descriptor):
        os.close(descriptor)


def test_a_report_that_is_not_written_either_is_made_later_with_the_whole_number(tmp_path):
    path = tmp_path / "log"
    full, usable = os.open("/dev/full", os.O_WRONLY), os.open(path, os.O_WRONLY | os.O_CREAT)
    handler = handler_on(os.dup(full), queue_bytes=300)
    handler.emit(record("longer than the queue", body="x" * 300))  # so its report is due, and finds the disk full
    handler.flush()
    os.dup2(usable, handler.descriptor)
    handler.emit(record("back"))
    handler.flush()
    handler.close()

    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["message"], line.get("lines_dropped")) for line in found] == [
        ("back", None),
        ("Log lines dropped", 1),
    ]
    assert handler.dropped == 1
    for descriptor in (full, usable, handler.descriptor):
        os.close(descriptor)


def written(formatter, path, *texts):
    """Return the lines that come of records with these texts, each flushed by itself."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    handler = NonBlockingHandler(descriptor)
    handler.setFormatter(formatter)
    for text in texts:
        handler.emit(record(text))
        handler.flush()
    handler.close()
    os.close(descriptor)
    return path.read_text().splitlines()


def test_a_record_that_no_formatter_can_show_is_reported_at_once_with_its_traceback(tmp_path):
    class Breaks(JsonFormatter):
        def format(self, record):
            return super().format(record) if record.msg == "Log lines dropped" else 1 / 0

    (line,) = written(Breaks(), tmp_path / "log", "unshowable")
    told = json.loads(line)
    assert (told["message"], told["lines_dropped"]) == ("Log lines dropped", 1)
    assert "ZeroDivisionError" in told["exception"]


def test_a_formatter_that_also_fails_for_the_report_ends_no_writer_and_both_tracebacks_are_told(tmp_path):
    class Breaks(logging.Formatter):
        def format(self, record):
            if record.msg == "Log lines dropped":
                raise LookupError(":".join(["ada", "secret"]))  # its words stand in no line of code
            return super().format(record) if record.msg == "fine" else 1 / 0

    lines = written(Breaks(), tmp_path / "log", "unshowable", "fine", "unshowable", "fine")
    assert lines.count("fine") == 2
    told = [json.loads(line) for line in lines if line != "fine"]
    assert sum(line["lines_dropped"] for line in told) == 2
    for line in told:
        assert {"timestamp", "level", "logger", "message"} <= line.keys()
        assert "ZeroDivisionError" in line["exception"]
        assert "LookupError" in line["exception"]
        assert "ada:secret" not in line["exception"]


def test_flushing_before_exit_writes_everything(pipe):
    reader, writer = pipe
    handler = handler_on(writer)
    for number in range(100):
        handler.emit(record(number=number))
    handler.flush()
    handler.close()
    os.close(writer)
    assert [line["number"] for line in read_until(lines_of(reader), None)] == list(range(100))


def test_flushing_what_is_closed_does_not_wait_for_a_writer_that_ended(pipe):
    _, writer = pipe
    handler = handler_on(writer)
    handler.emit(record())
    handler.close()
    handler._writer.join()
    handler.emit(record())
    started = time.monotonic()
    handler.flush()
    assert (handler.dropped, time.monotonic() - started < 1) == (1, True)


def test_flushing_gives_up_on_a_stalled_reader(pipe, monkeypatch):
    _, writer = pipe
    monkeypatch.setattr("core.log_output.FLUSH_SECONDS", 0.05)
    handler = handler_on(writer)
    for _ in range(1000):
        handler.emit(record(body="x" * 1000))
    handler.flush()
    handler.close()


def test_a_forked_child_writes_its_own_lines_and_none_of_its_parents(pipe):
    reader, writer = pipe
    handler = handler_on(writer)
    handler.emit(record("from the parent"))
    handler.flush()
    child = os.fork()
    if child == 0:
        handler.emit(record("from the child"))
        handler.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    handler.emit(record("from the parent again"))
    handler.close()
    found = [line["message"] for line in read_until(lines_of(reader), "from the parent again")]
    assert found == ["from the parent", "from the child", "from the parent again"]


def test_a_record_whose_formatter_fails_is_counted_and_does_no_harm(pipe):
    handler = NonBlockingHandler(pipe[1])
    handler.setFormatter(logging.Formatter("%(absent)s"))
    handler.emit(record())
    assert handler.dropped == 1
    handler.close()


def test_a_line_that_finds_no_thread_to_write_it_waits_for_the_next_one(pipe, monkeypatch):
    handler = handler_on(pipe[1])
    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", cannot_start)
        handler.emit(record("while there is no thread"))
    handler.emit(record("when there is one"))
    found = [line["message"] for line in read_until(lines_of(pipe[0]), "when there is one")]
    assert (found, handler.dropped) == (["while there is no thread", "when there is one"], 0)


def cannot_start(thread):
    raise RuntimeError("can't start new thread")
