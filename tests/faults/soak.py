"""Uploads while everything that serves them is killed at random.

    python -m tests.faults.soak --minutes 10 --clients 4

Clients send videos in parts through a line that breaks, to gunicorn and a worker whose processes are killed with -9.
They repeat every call until it is answered, send parts twice, complete twice, give up some uploads and forget others.
At the end everything is asked: each completed video has its one row and its SHA-256, each part that was acknowledged
was held when its upload was completed, no file lacks a row and no row its file, and the sweep leaves no orphan.
Prints what happened; ends with 0 when all of it holds. `--seed` repeats the order of choices, not that of events.
"""

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import requests

from tests.faults.proxy import Line
from tests.faults.site import Sender, Site, until

MEBIBYTE = 1024**2
PATIENCE_S = 120  # for one call: the server may be killed again and again meanwhile
PAUSE_S = 0.05
CHECKED_WITHIN_S = 4  # a client waits so long for the worker before it sends the next video
JOBS_END_WITHIN_S = 400  # a killed worker's job comes back after its lease of two minutes
PASSING = {502, 503, 504}
LONG_AGO = "2020-01-01 00:00:00"
CHILDREN = "/proc/{pid}/task/{pid}/children"
UNENDED_JOBS = """
from core.models import ProcessingJob
print(ProcessingJob.objects.filter(state__in=["queued", "running"]).count())
"""
ROWS = """
from core.models import Upload
for upload in Upload.objects.select_related("video").order_by("pk"):
    print(upload.pk, upload.state, upload.storage_path, upload.video.state if upload.video else "-")
"""
AGE = """
from core.models import Upload
Upload.objects.filter(state__in=Upload.UNFINISHED).update(last_activity_at="2020-01-01T00:00:00Z")
"""


@dataclass
class Told:
    """What a client was told about one upload of its own."""

    sha256: str
    outcome: str = "forgotten"  # or completed, given up


@dataclass
class Soak:
    """A running site, its clients, and what they were told; upload id → Told."""

    site: Site
    line: Line
    clip: bytes
    chance: random.Random
    ends_at: float
    told: dict[str, Told] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.ends_at

    def run(self, clients: int) -> None:
        """Let clients send and everything break until the end; then each client ends what it began."""
        with ThreadPoolExecutor(clients + 1) as threads:
            sending = [threads.submit(self._send_videos, random.Random(self.chance.random())) for _ in range(clients)]
            chaos = threads.submit(self._break_things)
            try:
                for client in sending:
                    client.result()
            finally:
                self.is_over.set()
                chaos.result()

    def _send_videos(self, chance: random.Random) -> None:
        while self.goes_on:
            Client(self, chance).send_one()

    def _break_things(self) -> None:
        things = [self._kill_web_worker] * 6 + [self._cut] * 6 + [self._kill_web, self._kill_worker, self._stall]
        while not self.is_over.wait(self.chance.uniform(0.2, 1.5)):
            broken = self.chance.choice(things)
            broken()
            self.counts[broken.__name__.strip("_")] += 1

    def _kill_web_worker(self) -> None:
        assert self.site.process is not None
        pid = self.site.process.pid
        if workers := Path(CHILDREN.format(pid=pid)).read_text().split():
            os.kill(int(self.chance.choice(workers)), signal.SIGKILL)

    def _kill_web(self) -> None:
        self.site.kill()
        self.site.start()

    def _kill_worker(self) -> None:
        self.site.kill_worker()
        self.site.start_worker()

    def _cut(self) -> None:
        self.line.cut()
        self.line.mend()

    def _stall(self) -> None:
        self.line.stall()
        self.is_over.wait(self.chance.random())
        self.line.mend()


class Client(Sender):
    """Sends one video, come what may."""

    def __init__(self, soak: Soak, chance: random.Random):
        self.soak, self.chance = soak, chance
        recording = chance.random() < 0.8
        super().__init__(
            soak.site, self._video(1 if recording else 17), token=uuid4().hex, recording=recording,
            address=soak.line.address,
        )  # fmt: skip
        self.acknowledged: set[int] = set()

    def send_one(self) -> None:
        """Open, send the parts in any order and some of them twice, and end as chance will have it."""
        self.upload = self._insist(lambda: self.call("POST", "/core/api/uploads/", self.fields), 200, 201).json()
        told = self.soak.told[self.upload["id"]] = Told(hashlib.sha256(self.content).hexdigest())
        end = self.chance.random()
        numbers = list(self.numbers())
        self.chance.shuffle(numbers)
        for number in numbers[: len(numbers) // 2] if end < 0.15 else numbers + numbers[:1]:
            self._send_part(number)
        self._expect_held()
        if end < 0.05:
            self._insist(lambda: self.call("DELETE", self.upload["url"]), 204)
            told.outcome = "given up"
        elif end >= 0.15:
            self._complete(told)
        self.soak.counts[told.outcome] += 1

    def _send_part(self, number: int) -> None:
        self.acknowledged.discard(number)
        self._insist(lambda: self._signed_and_sent(number), 200)
        self.acknowledged.add(number)
        self.soak.counts["parts"] += 1

    def _signed_and_sent(self, number: int) -> requests.Response:
        wish = {"number": number, "size_bytes": len(self.part(number))}
        signed = self.call("POST", self.upload["parts_url"], {"parts": [wish]})
        if signed.status_code != 200:
            return signed
        return requests.put(self.address + signed.json()["parts"][0]["url"], self.part(number), timeout=PATIENCE_S)

    def _expect_held(self) -> None:
        shown = self._insist(lambda: self.call("GET", self.upload["url"]), 200).json()
        lost = self.acknowledged - {part["number"] for part in shown["parts"]}
        assert not lost, f"Parts {sorted(lost)} of {self.upload['id']} were acknowledged and are gone."

    def _complete(self, told: Told) -> None:
        first = self._insist(self.complete, 200, 201).json()
        again = self._insist(self.complete, 200).json()
        assert first["video"]["id"] == again["video"]["id"]
        told.outcome = "completed"
        self.soak.counts["MiB"] += len(self.content) // MEBIBYTE
        waited_to = time.monotonic() + CHECKED_WITHIN_S
        while time.monotonic() < waited_to and self.soak.goes_on:
            if self._insist(lambda: self.call("GET", self.upload["url"]), 200).json()["video"]["state"] != "checking":
                return
            time.sleep(4 * PAUSE_S)

    def _insist(self, call: Callable[[], requests.Response], *expected: int) -> requests.Response:
        """Repeat a call until it is answered as expected; whatever else is final fails."""
        patient_to = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = call()
            except requests.RequestException:
                self.soak.counts["calls without an answer"] += 1
            else:
                if answer.status_code in expected:
                    return answer
                said = (
                    f"{answer.request.method} {answer.request.path_url[:80]}: {answer.status_code} {answer.text[:300]}"
                )
                assert answer.status_code in PASSING or "Retry-After" in answer.headers, said
                self.soak.counts[f"answers {answer.status_code}"] += 1
            assert time.monotonic() < patient_to, "No answer that helps, for two minutes."
            time.sleep(self.chance.uniform(PAUSE_S, 4 * PAUSE_S))

    def _video(self, least_mebibytes: int) -> bytes:
        """Return a playable video that nobody else sends: a clip, then a `free` box of noise, which players skip."""
        noise = self.chance.randbytes(int(least_mebibytes * MEBIBYTE + self.chance.random() * 4 * MEBIBYTE))
        return self.soak.clip + (len(noise) + 8).to_bytes(4, "big") + b"free" + noise


def wrong_after(soak: Soak, *, all_checked: bool) -> list[str]:
    """Return a sentence for everything that does not hold once all is quiet."""
    site = soak.site
    if all_checked:
        until(lambda: int(site.shell(UNENDED_JOBS).split()[-1]) == 0, JOBS_END_WITHIN_S)
    wrong = _wrong_videos(soak)
    site.stop()
    site.shell(AGE)
    for path in [*site.media.rglob("uploads/**/*"), *site.media.rglob("uploads/*")]:
        os.utime(path, (0, 0), follow_symlinks=False)
    site.run("prune_uploads")
    wrong += [f"{path} is left after the sweep." for path in site.media.glob("uploads/*")]
    wrong += _wrong_videos(soak, after_sweep=True)
    site.run("fsck_media")  # a file without a row, or a row without its file, ends it with 1
    return wrong


def _wrong_videos(soak: Soak, *, after_sweep: bool = False) -> list[str]:
    wrong = []
    rows = [line.split() for line in soak.site.shell(ROWS).splitlines() if "videos/" in line]
    found = {row[0]: row[1:] for row in rows}
    for upload_id, told in soak.told.items():
        state, path, video = found[upload_id][:3]
        file = soak.site.media / path
        if told.outcome == "completed":
            soak.counts[f"{video} at the end"] += after_sweep
            is_same = file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == told.sha256
            if state != "complete" or not (is_same or (video == "failed" and not file.exists())):
                wrong.append(f"{upload_id} was completed and is {state}, {video}, with other bytes or none.")
        elif video != "-" or file.exists():
            wrong.append(f"{upload_id} was {told.outcome} and there is a video of it.")
        elif after_sweep and state != "aborted":
            wrong.append(f"{upload_id} was {told.outcome} and is {state} after the sweep.")
    return wrong


def soaked(folder: Path, clip: bytes, *, seconds: float, clients: int, seed: int, all_checked: bool) -> Soak:
    """Run one soak in the folder and return it; AssertionError with every sentence when something does not hold."""
    site = Site(folder, {"PRACTIKA_MAX_OPEN_UPLOADS": "100000"}, has_worker=True)
    site.prepare()
    try:
        site.start()
        with Line("127.0.0.1", site.port) as line:
            soak = Soak(site, line, clip, random.Random(seed), time.monotonic() + seconds)
            soak.run(clients)
            wrong = wrong_after(soak, all_checked=all_checked)
    finally:
        site.stop()
    assert not wrong, "\n".join(wrong)
    return soak


def main() -> int:
    """Run what was asked for and return the exit status."""
    from core.media.clips import write_clip

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"{options.minutes:g} minutes, {options.clients} clients, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = write_clip(folder / "clip.mp4").read_bytes()
        soak = soaked(folder, clip, seconds=60 * options.minutes, clients=options.clients, seed=options.seed,
                      all_checked=True)  # fmt: skip
    for what, count in sorted(soak.counts.items()):
        print(f"{count:7} {what}")
    print("Everything acknowledged was kept, and nothing else was.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
