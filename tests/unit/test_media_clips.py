"""The videos the demo draws: real, quick to make, and worth practising against."""

import os

import av
import pytest

from core.media.clips import unchanged_priority, write_clip
from core.media.figure import LOOKS, Scene
from core.media.metronome import SAMPLE_RATE, ticks
from core.media.routines import COUNTS, ROUTINES, pose_at, resized
from tests.videos.other import avif_named_mp4


@pytest.mark.parametrize("routine", ROUTINES)
def test_each_pose_is_reached_exactly_on_its_count(routine):
    for count, pose in enumerate(ROUTINES[routine]):
        assert pose_at(routine, float(count)) == pose
        assert pose_at(routine, float(count + COUNTS)) == pose


def test_a_learner_reaches_less_far_and_later():
    assert 0 < resized(pose_at("arms", 1.0), 0.5).left_arm < pose_at("arms", 1.0).left_arm
    teacher, learner = Scene((90, 160)), Scene((90, 160), late_s=0.2)
    assert learner.paint(1.25, 180) == teacher.paint(1.05, 180)
    assert learner.paint(1.25, 180) != teacher.paint(1.25, 180)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("size", [(90, 160), (160, 90), (33, 47)])
def test_a_scene_fills_every_size_in_every_look(size, look):
    scene = Scene(size, look=look, routine="steps")
    stride = scene.width + 10
    assert len(scene.paint(0.4, stride)) == stride * scene.height
    assert len(scene.palette) == 1024


def test_the_sound_ticks_on_every_beat_and_is_silent_between():
    samples = ticks(2.0, 0.5)
    assert len(samples) == 2 * SAMPLE_RATE
    for beat in range(4):
        begin = round(beat * 0.5 * SAMPLE_RATE)
        assert max(samples[begin : begin + 2000]) > 3000
        assert not any(samples[begin + SAMPLE_RATE // 4 : begin + SAMPLE_RATE // 4 + 1000])


def test_a_demo_clip_has_moving_pictures_and_sound(tmp_path):
    path = write_clip(tmp_path / "demo.mp4", seconds=1.5, size=(180, 320), scene=Scene((180, 320)))
    with av.open(str(path)) as container:
        frames = [bytes(frame.reformat(32, 32, "gray").planes[0]) for frame in container.decode(video=0)]
        assert len(frames) == 45
        assert len(set(frames)) > 20
        assert container.streams.audio[0].codec_context.name == "aac"


def av1(folder):
    return write_clip(folder / "a.mp4", seconds=0.2, size=(64, 64), video_codec="libsvtav1")


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="AV1's encoder changes it on Linux only.")
@pytest.mark.parametrize("write", [av1, avif_named_mp4])
def test_writing_av1_leaves_the_threads_priority_as_it_was(write, tmp_path):
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    write(tmp_path)
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="AV1's encoder changes it on Linux only.")
def test_a_thread_gets_its_scheduling_back_whoever_runs_the_tests():
    before = os.sched_getscheduler(0)
    with unchanged_priority():
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # what everybody may choose; FIFO is root's
    assert os.sched_getscheduler(0) == before != os.SCHED_BATCH
