"""The received file at the end of its request."""

import gc

from tests.unit.multipart.forms import VIDEO, form, left_in, part


def test_the_file_goes_with_the_request(receive):
    request = receive(form(part(VIDEO, b"x")))
    path = request.FILES["video"].path
    request.close()
    request.close()
    assert not path.exists()


def test_a_forgotten_file_goes_too(receive, tmp_path):
    request = receive(form(part(VIDEO, b"x")))
    assert request.FILES["video"].path.exists()
    del request._files
    gc.collect()
    assert left_in(tmp_path) == []


def test_a_kept_file_stays(receive):
    request = receive(form(part(VIDEO, b"x")))
    kept = request.FILES["video"].keep()
    request.close()
    assert kept.read_bytes() == b"x"
    kept.unlink()


def test_a_file_that_moved_is_left_alone(receive, tmp_path):
    request = receive(form(part(VIDEO, b"x")))
    moved = request.FILES["video"].path.rename(tmp_path / "adopted")
    request.close()
    assert moved.read_bytes() == b"x"
    moved.unlink()
