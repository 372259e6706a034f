"""The child process: its limits hold, it is gone afterwards, and what it says is checked."""

import errno
import json
import os
import select
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.media.child import UNAVAILABLE
from core.media.clips import write_clip
from core.media.facts import InspectionKilled, InspectionUnavailable, Limits, NotAVideo, VideoFacts
from core.media.inspection import inspect_video
from tests import videos

FACTS = VideoFacts(1000, 320, 180, 0, 30, 1, False, "h264", "aac", "video/mp4")


def refused_code(path: Path, limits: Limits) -> str:
    poster = path.with_name("poster.jpg")
    with pytest.raises(NotAVideo) as refused:
        inspect_video(path, poster=poster, limits=limits)
    assert not poster.exists()
    return refused.value.code


def is_being_read(fifo: Path) -> bool:
    """Return whether a process holds the pipe open for reading and goes on doing so for five seconds."""
    try:
        writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        assert error.errno == errno.ENXIO  # noqa: PT017
        return False
    poll = select.poll()
    poll.register(writer, 0)  # POLLERR comes without being asked for, when the last reader is gone
    gone = poll.poll(5000)
    os.close(writer)
    return not gone


@pytest.fixture
def fifo(tmp_path):
    """A pipe that nobody writes to: reading it never ends."""
    path = tmp_path / "endless.mp4"
    os.mkfifo(path)
    return path


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a shell script in the child's place; its $4 is the video and $5 the file to make."""

    def put(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(path))

    return put


def test_a_child_that_takes_too_long_is_stopped(fifo):
    assert refused_code(fifo, Limits(wall_seconds=0.4)) == "too_complex"
    assert not is_being_read(fifo)


def test_whatever_the_child_started_is_killed_with_it(fifo, stand_in):
    stand_in('cat "$4" & sleep 3')
    assert refused_code(fifo, Limits(wall_seconds=0.4)) == "too_complex"
    assert not is_being_read(fifo)


def test_a_list_never_makes_the_child_open_the_file_it_names(tmp_path, fifo):
    for build in (videos.hls_playlist, videos.ffconcat_list):
        playlist = build(tmp_path, fifo)
        assert refused_code(playlist, Limits(wall_seconds=5)) == "not_a_video"  # opening the pipe would hang


def test_a_child_that_computes_too_long_is_stopped_by_the_system():
    code = "from core.media.child import *; confine(Limits(cpu_seconds=1))\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == -signal.SIGXCPU


@pytest.mark.parametrize("name", ["XCPU", "ALRM"])
def test_a_child_stopped_by_the_system_means_that_the_file_asks_too_much(tmp_path, stand_in, name):
    stand_in(f"kill -{name} $$")
    assert refused_code(videos.empty(tmp_path), Limits()) == "too_complex"


def test_a_child_that_somebody_kills_is_not_blamed_on_the_file(tmp_path, stand_in):
    stand_in("kill -KILL $$")
    with pytest.raises(InspectionKilled):
        inspect_video(videos.empty(tmp_path), poster=tmp_path / "poster.jpg")


def test_a_child_whose_parent_was_killed_before_it_could_ask_to_die_with_it_does_nothing(tmp_path):
    """Its parent has another number than it was told: so it is when another process has adopted it."""
    options = json.dumps({"limits": asdict(Limits()), "parent": os.getppid()})
    task = ["inspect", videos.silent_mp4(tmp_path), tmp_path / "poster.jpg", options]
    ended = subprocess.run([sys.executable, "-m", "core.media.child", *task], stdout=subprocess.PIPE, timeout=30)
    assert (ended.returncode, ended.stdout) == (UNAVAILABLE, b"")
    assert not (tmp_path / "poster.jpg").exists()


def test_a_child_that_wants_too_much_memory_is_stopped(tmp_path):
    path = write_clip(tmp_path / "large.mov", size=(4096, 2304), seconds=0.1, video_codec="prores_ks", audio_codec=None)
    narrow = Limits(memory_bytes=150 * 1024 * 1024)
    assert refused_code(path, narrow) in {"too_complex", "no_decodable_frame"}
    assert inspect_video(path, poster=tmp_path / "poster.jpg").width_px == 4096


def test_a_full_disk_is_not_blamed_on_the_file(tmp_path):
    video = videos.silent_mp4(tmp_path)
    with pytest.raises(InspectionUnavailable):
        inspect_video(video, poster=tmp_path / "no such folder" / "poster.jpg")


def test_a_file_that_is_not_there_is_the_callers_mistake(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect_video(tmp_path / "gone.mp4", poster=tmp_path / "poster.jpg")


def test_secrets_of_the_environment_do_not_reach_the_child(tmp_path, monkeypatch, stand_in):
    stand_in(f"env > {tmp_path}/seen")
    monkeypatch.setenv("DJANGO_SECRET_KEY", "sesame")
    assert refused_code(videos.empty(tmp_path), Limits()) == "no_decodable_frame"
    assert "sesame" not in (tmp_path / "seen").read_text()


@pytest.mark.parametrize(
    "script",
    [
        "kill -SEGV $$",
        "exit 1",
        "echo '{\"facts\": {}}'",
        "echo '[1]'",
        "echo not json",
        "yes",
        "printf '\\377'",
        "true",
        'echo half a poster > "$5"; exit 1',
    ],
)
def test_a_child_that_dies_or_talks_nonsense_is_a_refusal_with_a_sentence(tmp_path, stand_in, script):
    stand_in(script)
    assert refused_code(videos.empty(tmp_path), Limits(wall_seconds=5)) == "no_decodable_frame"


def test_four_threads_inspect_at_the_same_time(tmp_path):
    video, results = videos.silent_mp4(tmp_path), []

    def inspect(number: int) -> None:
        results.append(inspect_video(video, poster=tmp_path / f"{number}.jpg"))

    threads = [threading.Thread(target=inspect, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(results)) == 1


def test_a_name_with_a_leading_dash_or_a_colon_is_only_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "http:x.mp4", "concat:a|b.mp4", "naïve \n.mp4"):
        path = videos.silent_mp4(tmp_path).rename(name)
        assert inspect_video(path, poster=Path("poster.jpg")).duration_ms == 1000


@pytest.mark.parametrize(
    "change",
    [
        {"duration_ms": 0},
        {"duration_ms": "1"},
        {"width_px": 2**40},
        {"rotation_deg": 45},
        {"variable_frame_rate": 1},
        {"video_codec": "x" * 99},
        {"mime_type": "text/html"},
    ],
)
def test_facts_out_of_range_are_not_taken_from_the_child(change):
    with pytest.raises(ValueError, match="out of range"):
        VideoFacts.from_json(asdict(replace(FACTS, **change)))


def test_facts_survive_the_way_from_the_child():
    assert VideoFacts.from_json(asdict(FACTS)) == FACTS
