"""Making a rendition: progress, ending it early, limits, bad files, and nothing left behind."""

import os
import select
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import av
import pytest

from core.media.clips import write_clip
from core.media.facts import REFUSAL_CODES, InspectionUnavailable, Need, NotAVideo
from core.media.rendition import make_rendition, rendition_limits
from tests import videos

LIMITS = rendition_limits(duration_ms=2000, size_bytes=10_000_000)
SHORT = replace(LIMITS, wall_seconds=20)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """A folder that holds nothing but what a rendition leaves there."""
    path = tmp_path / "renditions"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def lengthy(tmp_path_factory):
    """A video whose rendition takes seconds."""
    path = tmp_path_factory.mktemp("lengthy") / "long.webm"
    return write_clip(path, size=(1280, 720), seconds=8, video_codec="libvpx", audio_codec=None)


class Stop(Exception):
    """Raised by whoever watches the progress."""


def children_of(folder: Path) -> list[int]:
    """Return the processes that work in the folder or one below it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                place = (process / "cwd").readlink()
            except OSError:
                continue
            if folder in place.parents:
                found.append(int(process.name))
    return found


def wait_until_gone(pids: list[int]) -> None:
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with os.fdopen(handle) as process:
            assert select_readable(process, seconds=10), f"process {pid} is still there"


def select_readable(file, *, seconds: float) -> bool:
    return bool(select.select([file], [], [], seconds)[0])


def test_progress_rises_from_zero_and_stays_below_a_hundred(lengthy, folder):
    percents: list[int] = []
    make_rendition(lengthy, folder / "a.mp4", need=Need.TRANSCODE, limits=LIMITS, on_progress=percents.append)
    assert percents == sorted(percents)
    assert len(set(percents)) > 1
    assert all(0 <= percent <= 99 for percent in percents)
    assert [path.name for path in folder.iterdir()] == ["a.mp4"]


def test_what_the_watcher_raises_ends_the_child_and_passes_through(lengthy, folder):
    working: list[int] = []

    def watch(percent: int) -> None:
        working.extend(children_of(folder))
        raise Stop

    with pytest.raises(Stop):
        make_rendition(lengthy, folder / "a.mp4", need=Need.TRANSCODE, limits=LIMITS, on_progress=watch)
    assert working
    assert not children_of(folder)
    assert not list(folder.iterdir())


def test_the_child_ends_with_the_process_that_started_it(lengthy, folder):
    code = (
        "import os, sys, pathlib\n"
        "from core.media.rendition import make_rendition\n"
        "source, target = map(pathlib.Path, sys.argv[1:])\n"
        "make_rendition(source, target, need='transcode', on_progress=lambda percent: print(percent, flush=True))\n"
    )
    command = [sys.executable, "-c", code, lengthy, folder / "a.mp4"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        working = children_of(folder)
        parent.kill()
    assert working
    wait_until_gone(working)
    assert not (folder / "a.mp4").exists()


def test_time_that_is_over_is_a_refusal(lengthy, folder):
    with pytest.raises(NotAVideo) as refused:
        make_rendition(lengthy, folder / "a.mp4", need=Need.TRANSCODE, limits=replace(LIMITS, wall_seconds=0.4))
    assert refused.value.code == "too_complex"
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "narrow", [{"file_bytes": 20_000}, {"memory_bytes": 220 * 1024 * 1024}, {"max_width_px": 320}, {"cpu_seconds": 1}]
)
def test_each_limit_holds(lengthy, folder, narrow):
    with pytest.raises(NotAVideo) as refused:
        make_rendition(lengthy, folder / "a.mp4", need=Need.TRANSCODE, limits=replace(LIMITS, **narrow))
    assert refused.value.code in {"too_complex", "picture_too_large", "no_decodable_frame"}
    assert not list(folder.iterdir())


def test_a_missing_folder_is_not_blamed_on_the_file(tmp_path):
    with pytest.raises(InspectionUnavailable):
        make_rendition(videos.silent_mp4(tmp_path), tmp_path / "no such" / "a.mp4", need=Need.REMUX, limits=LIMITS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_is_not_blamed_on_the_file(lengthy, folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    try:
        with pytest.raises(InspectionUnavailable):
            make_rendition(lengthy, folder / "a.mp4", need=Need.TRANSCODE, limits=LIMITS)
        assert not list(folder.iterdir())
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_failure_leaves_the_file_that_was_there(tmp_path, folder):
    target = folder / "a.mp4"
    target.write_bytes(b"an earlier one")
    with pytest.raises(NotAVideo):
        make_rendition(videos.noise(tmp_path), target, need=Need.TRANSCODE, limits=LIMITS)
    assert target.read_bytes() == b"an earlier one"


@pytest.mark.parametrize("build", videos.BAD, ids=lambda build: build.__name__)
def test_a_bad_file_has_no_rendition(tmp_path, folder, build):
    with pytest.raises(NotAVideo) as refused:
        make_rendition(build(tmp_path), folder / "a.mp4", need=Need.TRANSCODE, limits=SHORT)
    assert refused.value.code == videos.BAD[build]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("need", [Need.REMUX, Need.TRANSCODE])
@pytest.mark.parametrize("build", [videos.bit_flipped, videos.claims_65535_pixels], ids=lambda build: build.__name__)
def test_a_damaged_file_is_copied_or_encoded_or_refused(tmp_path, folder, build, need):
    assert_sound_or_refused(build(tmp_path), folder, need)


@pytest.mark.parametrize("build", videos.DAMAGED, ids=lambda build: build.__name__)
def test_a_damaged_file_or_a_bomb_has_a_sound_rendition_or_none(tmp_path, folder, build):
    assert_sound_or_refused(build(tmp_path), folder, Need.TRANSCODE)


def assert_sound_or_refused(source: Path, folder: Path, need: Need) -> None:
    try:
        facts = make_rendition(source, folder / "a.mp4", need=need, limits=SHORT)
    except NotAVideo as refused:
        assert refused.code in REFUSAL_CODES  # noqa: PT017
        assert not list(folder.iterdir())
    else:
        assert facts.need == Need.NOTHING
        assert facts.duration_ms <= 2100
        assert [path.name for path in folder.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("build", [videos.hls_playlist, videos.ffconcat_list], ids=lambda build: build.__name__)
def test_a_list_of_other_files_has_no_rendition(tmp_path, folder, build):
    source = build(tmp_path, videos.silent_mp4(tmp_path))
    with pytest.raises(NotAVideo) as refused:
        make_rendition(source, folder / "a.mp4", need=Need.REMUX, limits=SHORT)
    assert refused.value.code == "not_a_video"


def test_pictures_that_break_off_midway_are_left_out(tmp_path, folder):
    whole = bytearray(write_clip(tmp_path / "a.mkv", seconds=2, audio_codec=None).read_bytes())
    half = len(whole) // 2
    whole[half : half + 2000] = bytes(2000)
    source = tmp_path / "broken.mkv"
    source.write_bytes(whole)
    facts = make_rendition(source, folder / "a.mp4", need=Need.TRANSCODE, limits=SHORT)
    assert 900 <= facts.duration_ms <= 2100


def test_two_renditions_at_once_do_not_meet(tmp_path, folder):
    source, results = videos.silent_mp4(tmp_path), []

    def make(number: int) -> None:
        results.append(make_rendition(source, folder / f"{number}.mp4", need=Need.TRANSCODE, limits=LIMITS))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]


def test_a_key_frame_comes_at_least_every_second(tmp_path, folder):
    source = write_clip(tmp_path / "a.webm", seconds=4, video_codec="libvpx", audio_codec=None, uneven=True)
    make_rendition(source, folder / "a.mp4", need=Need.TRANSCODE, limits=LIMITS)
    with av.open(str(folder / "a.mp4")) as container:
        tick = container.streams.video[0].time_base
        keys = [packet.pts * tick for packet in container.demux(video=0) if packet.size and packet.is_keyframe]
    assert keys[0] == 0
    assert all(after - before <= 1 for before, after in zip(keys, [*keys[1:], 4], strict=True))
