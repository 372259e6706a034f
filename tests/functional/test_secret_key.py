"""What a new secret key ends, and what goes on while the old one is kept beside it (RUNBOOK.md)."""

import pytest
from django.conf import settings as site_settings

from accounts.services.people import set_password_link
from core.services.storage import signed_media_path
from tests.functional.uploading import Uploader

NEW = "x9Qk2Lw7Zr4Tb8Vn1Ym6Hc3Jd5Fg0Ps-a-new-key-of-the-test-that-is-long"


@pytest.mark.one_stack("development", why="S3 signs links to its objects with a key of its own")
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_new_key_ends_log_ins_and_signed_links_unless_the_old_one_is_kept(
    is_kept, client, ben, staff, exercise, classroom, clip, settings
):
    client.force_login(ben, backend="allauth.account.auth_backends.AuthenticationBackend")
    upload = Uploader(client, classroom, clip.read_bytes())
    upload.open()
    part = upload.sign(1).json()
    media = signed_media_path(exercise.reference.storage_path, 3600)
    link = set_password_link(user=ben, asked_by=staff).removeprefix(site_settings.BASE_URL)
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [old] if is_kept else []
    assert upload.put(part, upload.part(1)).status_code == (200 if is_kept else 403)
    assert client.get(media).status_code == (200 if is_kept else 404)
    assert (b"password1" in client.get(link, follow=True).content) is is_kept
    assert client.get("/exercises/").status_code == (200 if is_kept else 302)
