"""Files that are no videos: each is refused with the reason, quickly, and nothing is left behind."""

import pytest

from core.media.clips import write_clip
from core.media.facts import REFUSAL_CODES, Limits, NotAVideo, VideoFacts, refusal
from core.media.inspection import inspect_video
from tests import videos


@pytest.mark.parametrize("build", videos.BAD, ids=lambda build: build.__name__)
def test_a_bad_file_is_refused_with_its_reason_and_leaves_no_poster(tmp_path, build):
    poster = tmp_path / "poster.jpg"
    with pytest.raises(NotAVideo) as refused:
        inspect_video(build(tmp_path), poster=poster)
    assert refused.value.code == videos.BAD[build]
    assert not poster.exists()


@pytest.mark.parametrize("build", videos.DAMAGED, ids=lambda build: build.__name__)
def test_a_damaged_file_or_a_bomb_is_measured_or_refused_and_nothing_else(tmp_path, build):
    poster = tmp_path / "poster.jpg"
    try:
        facts = inspect_video(build(tmp_path), poster=poster, limits=Limits(wall_seconds=20))
    except NotAVideo as refused:
        assert refused.code in REFUSAL_CODES  # noqa: PT017
        assert not poster.exists()
    else:
        assert isinstance(facts, VideoFacts)
        assert facts.duration_ms <= 2100
        assert poster.exists()


@pytest.mark.parametrize("build", [videos.hls_playlist, videos.ffconcat_list], ids=lambda build: build.__name__)
def test_a_list_of_other_files_is_refused_although_the_other_file_is_a_video(tmp_path, build):
    other = videos.silent_mp4(tmp_path)
    with pytest.raises(NotAVideo) as refused:
        inspect_video(build(tmp_path, other), poster=tmp_path / "poster.jpg")
    assert refused.value.code == "not_a_video"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_duration_ms=900), "too_long"),
        (Limits(max_frame_rate=29), "frame_rate_too_high"),
        (Limits(max_width_px=319, max_height_px=200), "picture_too_large"),
        (Limits(max_width_px=400, max_height_px=179), "picture_too_large"),
    ],
)
def test_each_limit_refuses_what_is_beyond_it(tmp_path, limits, code):
    with pytest.raises(NotAVideo) as refused:
        inspect_video(videos.silent_mp4(tmp_path), poster=tmp_path / "poster.jpg", limits=limits)
    assert refused.value.code == code


@pytest.mark.parametrize("size", [(320, 180), (180, 320)])
def test_a_picture_of_exactly_the_largest_size_passes_in_either_orientation(tmp_path, size):
    path = write_clip(tmp_path / "a.mp4", seconds=0.2, size=size)
    limits = Limits(max_width_px=320, max_height_px=180, max_frame_rate=30)
    assert inspect_video(path, poster=tmp_path / "poster.jpg", limits=limits).width_px == size[0]


@pytest.mark.parametrize("code", sorted(REFUSAL_CODES))
def test_each_reason_is_two_short_sentences_what_happened_and_what_to_do(code):
    sentence = refusal(code, Limits()).sentence
    assert sentence.endswith(".")
    assert len(sentence) < 130
    assert "{" not in sentence


def test_the_sentence_names_the_limit():
    assert "4 hours" in refusal("too_long", Limits()).sentence
    assert "90 seconds" in refusal("too_long", Limits(max_duration_ms=90_000)).sentence
    assert "4096 × 2304" in refusal("picture_too_large", Limits()).sentence
