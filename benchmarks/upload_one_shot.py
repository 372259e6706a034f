"""Measures the one-shot upload against the usual Django FileField view, both under the same gunicorn, in one run.

    python benchmarks/upload_one_shot.py --mebibytes 1024 --rounds 5
    python benchmarks/upload_one_shot.py --temporary /dev/shm       the usual view's temporary files elsewhere

Ours receives, hashes, decodes, makes a poster, stores durably (fsync) and keeps rows with an audit trail; the usual
view (`usual_view.py`) receives and stores. Its temporary files are on the disk of its videos, unless `--temporary`
says otherwise: there Django renames them, which is its best case; from another file system it copies them. Prints
the medians of throughput (MiB/s until the answer) and processor time, the peak resident memory of our worker, and
the bytes it wrote per byte sent. Ends with 0 when ours is ahead, below 150 MiB, and writes the bytes once.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from practika import EMAIL, PASSWORD, SITE, prepare
from servers import MEBIBYTE, Server, gunicorn
from videos import real_video
from visitor import Visitor

MEMORY_GOAL_MIB = 150
ONE_WORKER = ("--workers", "1", "--worker-class", "gthread", "--threads", "8", "--timeout", "600")


@dataclass
class Contestant:
    """One of the two servers, who sends to it, and what was measured."""

    server: Server
    visitor: Visitor
    media: Path
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)

    def send(self, video: Path) -> None:
        """Upload the video once, on a disk with nothing left to write, and remove what was stored."""
        os.sync()
        cpu, written = self.server.cpu_seconds(), self.server.written_bytes()
        self.seconds.append(self.visitor.upload(video))
        self.cpu_seconds.append(self.server.cpu_seconds() - cpu)
        self.written.append((self.server.written_bytes() - written) / video.stat().st_size)
        for folder in self.media.iterdir():
            shutil.rmtree(folder)

    def mebibytes_per_second(self, video: Path) -> float:
        """Return the median throughput."""
        return video.stat().st_size / MEBIBYTE / statistics.median(self.seconds)

    def figures(self, video: Path) -> str:
        """Return throughput, processor time per GiB, and bytes written per byte sent, as a sentence."""
        cpu_per_gib = statistics.median(self.cpu_seconds) * 1024 * MEBIBYTE / video.stat().st_size
        return (
            f"{self.mebibytes_per_second(video):5.0f} MiB/s · {cpu_per_gib:.2f} CPU s/GiB · "
            f"written {statistics.median(self.written):.3f} times"
        )


def main() -> int:
    """Run the rounds, print the figures, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--temporary", type=Path, help="a folder on another file system, e.g. /dev/shm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return measure(Path(name), options.mebibytes, options.rounds, options.temporary)


def measure(folder: Path, mebibytes: int, rounds: int, temporary: Path | None) -> int:
    """Send a video of that size to both in turn; return 0 when the goals are met."""
    video = real_video(folder / "video.mp4", mebibytes * MEBIBYTE)
    ours_environment = prepare(folder, exercises=1).environment
    with (
        gunicorn(SITE, *ONE_WORKER, environment=ours_environment) as ours_server,
        gunicorn(
            "usual_view:application",
            *ONE_WORKER,
            "--config",
            "python:gunicorn.glogging",
            "--no-control-socket",
            environment=usual(folder, temporary),
        ) as other,
    ):
        ours = Contestant(ours_server, Visitor(ours_server.port), folder / "media")
        theirs = Contestant(other, Visitor(other.port), folder / "usual")
        ours.visitor.log_in(EMAIL, PASSWORD)
        for number in range(rounds):
            for each in (ours, theirs) if number % 2 else (theirs, ours):
                each.send(video)
        memory = ours_server.peak_mib()
    ratio = ours.mebibytes_per_second(video) / theirs.mebibytes_per_second(video)
    print(f"{mebibytes} MiB, median of {rounds} interleaved rounds")
    print(f"ours        {ours.figures(video)}")
    print(f"usual view  {theirs.figures(video)}")
    print(f"ratio {ratio:.2f} (goal: ahead) · peak resident {memory:.0f} MiB (goal < {MEMORY_GOAL_MIB})")
    return 0 if ratio > 1 and memory < MEMORY_GOAL_MIB and statistics.median(ours.written) < 1.01 else 1


def usual(folder: Path, temporary: Path | None) -> dict[str, str]:
    """Return the environment of the usual view."""
    media = folder / "usual"
    media.mkdir()
    return {"USUAL_MEDIA": str(media), "USUAL_TEMPORARY": str(temporary or folder)}


if __name__ == "__main__":
    sys.exit(main())
