"""The short form of tests/faults/soak.py: a few seconds of uploads while everything is killed at random."""

import random
from pathlib import Path

from tests.faults.soak import soaked

SECONDS = 6


def test_whatever_is_killed_nothing_acknowledged_is_lost_and_no_orphan_is_left(tmp_path: Path, clip: Path):
    seed = random.randrange(2**32)
    soak = soaked(tmp_path, clip.read_bytes(), seconds=SECONDS, clients=2, seed=seed, all_checked=False)
    assert soak.counts["parts"] > 0
    assert soak.counts["kill_web_worker"] + soak.counts["kill_web"] + soak.counts["cut"] > 0
