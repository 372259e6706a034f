"""Measures processing: our rendition against the `ffmpeg` command doing the same, memory, and the check of a fine file.

    python benchmarks/processing.py --seconds 10 --rounds 5

Both encode H.264 with the same settings and two threads from the same 1080p HEVC, in turns; ours also measures the
source and the result, and works in its limited child. Prints the medians of wall time and their ratio (goal: at most
1.1), and those of processor time, which say more on a machine that is busy; for a video that needs nothing, on the real
site with a worker, the time from the call that completes its upload until it plays (goal: below 1 s); and the peak
resident memory of the worker and of our child, with that and with the largest picture a video may have, HDR, beside the
limit it works in. Ends with 0 when the goals are met.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from watchable import watch_new_videos  # noqa: E402

from core.media.clips import write_clip  # noqa: E402
from core.media.facts import Limits, Need  # noqa: E402
from core.media.inspection import inspect_video  # noqa: E402
from core.media.rendition import make_rendition, rendition_limits  # noqa: E402

RATIO_GOAL, WATCHABLE_GOAL_S = 1.1, 1.0
FFMPEG = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "2", "-i"]
SETTINGS = ["-map", "0:v:0", "-map", "0:a:0?", "-map_metadata", "-1", "-pix_fmt", "yuv420p", "-c:v", "libx264"]
SETTINGS += ["-preset", "veryfast", "-crf", "22", "-profile:v", "high", "-maxrate", "10M", "-bufsize", "20M"]
SETTINGS += ["-threads", "2", "-force_key_frames", "expr:gte(t,n_forced)", "-g", "600", "-c:a", "aac", "-b:a", "96k"]
SETTINGS += ["-movflags", "+faststart"]


def main() -> int:
    """Run the rounds, print the figures, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not shutil.which("ffmpeg"):
        print("This benchmark compares with the ffmpeg command: install it first (Debian: apt-get install ffmpeg).")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ratio = compare(folder, options.seconds, options.rounds)
        watchable = time_to_watchable(folder, options.seconds, options.rounds)
        ceiling = memory_ceiling(folder)
    return 0 if ratio <= RATIO_GOAL and watchable < WATCHABLE_GOAL_S and ceiling else 1


def compare(folder: Path, seconds: float, rounds: int) -> float:
    """Return the ratio of wall times, ours to ffmpeg's."""
    source = write_clip(folder / "source.mp4", size=(1920, 1080), seconds=seconds, video_codec="libx265")
    limits = rendition_limits(duration_ms=round(seconds * 1000), size_bytes=source.stat().st_size)
    ours, theirs = folder / "ours.mp4", folder / "ffmpeg.mp4"
    print(f"our child: {peak_mib(source, ours, limits)} MiB resident at most")
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "ffmpeg": []}
    for _ in range(rounds):
        times["ours"].append(timed(lambda: make_rendition(source, ours, need=Need.TRANSCODE, limits=limits)))
        times["ffmpeg"].append(timed(lambda: run_ffmpeg(source, theirs)))
    mine, my_work = medians(times["ours"])
    reference, its_work = medians(times["ffmpeg"])
    print(f"ours {mine:.2f} s · ffmpeg {reference:.2f} s · ratio {mine / reference:.2f} (goal: ≤ {RATIO_GOAL})")
    print(f"processor: ours {my_work:.2f} s · ffmpeg {its_work:.2f} s · ratio {my_work / its_work:.2f}")
    print(f"sizes: ours {ours.stat().st_size} bytes · ffmpeg {theirs.stat().st_size} bytes")
    return mine / reference


def run_ffmpeg(source: Path, target: Path) -> None:
    """Make the same rendition with the command, as patient with others as our child is, and in a session of its own."""
    command = [*FFMPEG, source, *SETTINGS, target]
    subprocess.run(command, check=True, preexec_fn=lambda: os.nice(10), start_new_session=True)


def time_to_watchable(folder: Path, seconds: float, rounds: int) -> float:
    """Return the seconds from the completion of an upload until that 1080p video, which needs nothing, plays."""
    source = write_clip(folder / "fine.mp4", size=(1920, 1080), seconds=seconds)
    if inspect_video(source, poster=folder / "fine.jpg").need != Need.NOTHING:
        raise SystemExit("The video needs preparation: the benchmark would measure nothing.")
    site = folder / "site"
    site.mkdir()
    times, worker_mib = watch_new_videos(site, source, rounds)
    median = statistics.median(times)
    print(f"needs nothing: plays {median:.2f} s after completion (goal: < {WATCHABLE_GOAL_S:.0f} s)", end="")
    print(f" · slowest {max(times):.2f} s · worker: {worker_mib:.0f} MiB resident at most")
    return median


def memory_ceiling(folder: Path) -> bool:
    """Print what the largest pictures take, each file in a child of its own; return whether that is within limits."""
    options = {"video_codec": "libx265", "pixel_format": "yuv420p10le", "colors": "pq"}
    source = write_clip(folder / "largest.mp4", size=(4096, 2304), seconds=1, **options)
    limits = rendition_limits(duration_ms=1000, size_bytes=source.stat().st_size)
    peak, allowed = peak_mib(source, folder / "largest-web.mp4", limits), limits.memory_bytes // 1024**2
    print(f"4096 × 2304 HDR10: our child: {peak} MiB resident at most ({allowed} MiB allowed)")
    return peak <= allowed


def peak_mib(source: Path, target: Path, limits: Limits) -> int:
    """Make a rendition and return the highest resident memory of its child.

    From a process of its own: a child begins with the figure of the one that started it, and this one made the source.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(_peak_mib, source, target, limits).result()


def _peak_mib(source: Path, target: Path, limits: Limits) -> int:
    make_rendition(source, target, need=Need.TRANSCODE, limits=limits)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long the work takes, and the processor time of its children, in seconds."""
    begin, before = time.perf_counter(), children_s()
    work()
    return time.perf_counter() - begin, children_s() - before


def medians(rounds: list[tuple[float, float]]) -> list[float]:
    """Return the medians of wall time and of processor time."""
    return [statistics.median(each) for each in zip(*rounds, strict=True)]


def children_s() -> float:
    """Return the processor time of all children so far that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
