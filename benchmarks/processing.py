"""Measures processing: our rendition against the `ffmpeg` command doing the same, memory, and the check of a fine file.

    python benchmarks/processing.py --seconds 10 --rounds 5

Both encode H.264 with the same settings and two threads from the same 1080p HEVC, in turns; ours also measures the
source and the result, and works in its limited child. Prints the medians of wall time and their ratio (goal: at most
1.1), the peak resident memory of our child, and for a video that needs nothing the time until that is known (goal:
below 1 s). Ends with 0 when the goals are met.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.media.clips import write_clip  # noqa: E402
from core.media.facts import Need  # noqa: E402
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
    print(f"needs nothing: known after {watchable:.2f} s (goal: < {WATCHABLE_GOAL_S:.0f} s)")
    return 0 if ratio <= RATIO_GOAL and watchable < WATCHABLE_GOAL_S else 1


def compare(folder: Path, seconds: float, rounds: int) -> float:
    """Return the ratio of wall times, ours to ffmpeg's."""
    source = write_clip(folder / "source.mp4", size=(1920, 1080), seconds=seconds, video_codec="libx265")
    limits = rendition_limits(duration_ms=round(seconds * 1000), size_bytes=source.stat().st_size)
    ours, theirs = folder / "ours.mp4", folder / "ffmpeg.mp4"
    make_rendition(source, ours, need=Need.TRANSCODE, limits=limits)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024  # no other child ran so far
    print(f"our child: {memory} MiB resident at most")
    times: dict[str, list[float]] = {"ours": [], "ffmpeg": []}
    for _ in range(rounds):
        times["ours"].append(timed(lambda: make_rendition(source, ours, need=Need.TRANSCODE, limits=limits)))
        times["ffmpeg"].append(timed(lambda: run_ffmpeg(source, theirs)))
    mine, reference = statistics.median(times["ours"]), statistics.median(times["ffmpeg"])
    print(f"ours {mine:.2f} s · ffmpeg {reference:.2f} s · ratio {mine / reference:.2f} (goal: ≤ {RATIO_GOAL})")
    print(f"sizes: ours {ours.stat().st_size} bytes · ffmpeg {theirs.stat().st_size} bytes")
    return mine / reference


def run_ffmpeg(source: Path, target: Path) -> None:
    """Make the same rendition with the command, as patient with others as our child is."""
    subprocess.run([*FFMPEG, source, *SETTINGS, target], check=True, preexec_fn=lambda: os.nice(10))


def time_to_watchable(folder: Path, seconds: float, rounds: int) -> float:
    """Return the seconds until it is known that a 1080p phone video plays everywhere."""
    source = write_clip(folder / "fine.mp4", size=(1920, 1080), seconds=seconds)
    return statistics.median(timed(lambda: check_fine(source)) for _ in range(rounds))


def check_fine(source: Path) -> None:
    """Inspect a video that plays everywhere."""
    facts = inspect_video(source, poster=source.with_suffix(".jpg"))
    if facts.need != Need.NOTHING:
        raise SystemExit(f"The video needs {facts.need}: the benchmark measures nothing.")


def timed(work: Callable[[], object]) -> float:
    """Return how long the work takes, in seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
