"""The bucket: signed URLs, types, refusals, and a server that cannot be reached."""

import socket
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from core.storage.base import ObjectExists, StorageUnavailable
from core.storage.keys import new_key
from core.storage.options import s3_options, s3_origins
from core.storage.parts import PartedUpload, PartRequest
from core.storage.s3 import S3StorageBackend
from core.storage.s3_client import PrivateS3Storage
from core.storage.s3_parts import S3PartStorage
from tests.storage.conftest import BUCKET, s3_values

KEY = "videos/2025/03/7d3f1a52-6f0e-4b57-9c49-1b2a3c4d5e6f"


@pytest.fixture(scope="module")
def private_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_a_url_is_signed_for_its_time_with_the_fourth_version(s3_place):
    query = parse_qs(urlsplit(s3_place.backend.get_url(KEY, expires_in_s=77)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["77"]
    assert query["X-Amz-Signature"]


@pytest.mark.parametrize("wanted", ["AES256", "aws:kms"])
def test_objects_name_the_encryption_that_the_bucket_wants_whole_and_in_parts(s3_storage, s3_address, tmp_path, wanted):
    parameters = s3_options(bucket_name=BUCKET, encryption=wanted)["object_parameters"]
    storage = PrivateS3Storage(**s3_values(s3_address, object_parameters=parameters))
    backend, parts, source = S3StorageBackend(storage), S3PartStorage(storage), tmp_path / "a"
    source.write_bytes(b"x")
    backend.adopt(source, KEY, mime_type="video/mp4")
    now = datetime.now(UTC)
    key = new_key(now)
    upload = PartedUpload(key, parts.begin(key), 5 * 1024 * 1024)
    asked = PartRequest(number=1, size_bytes=1, sha256="", expires_at=now + timedelta(minutes=1))
    signed = parts.sign(upload, asked, now=now)
    with urlopen(Request(signed.url, b"x", {"Content-Type": "application/octet-stream"}, method="PUT"), timeout=10):
        parts.finish(upload, 1)
    for stored in (KEY, key):
        assert storage.client.head_object(Bucket=BUCKET, Key=stored)["ServerSideEncryption"] == wanted
        backend.delete(stored)


def test_the_type_is_given_when_read(s3_place):
    key = s3_place.backend.upload(BytesIO(b"x"), "x.html")
    with urlopen(s3_place.backend.get_url(key, mime_type="video/webm"), timeout=10) as answer:
        assert answer.headers["Content-Type"] == "video/webm"


def test_objects_have_no_acl_of_their_own_and_may_be_cached_privately(s3_place, s3_storage, finished_file):
    s3_place.backend.adopt(finished_file(), KEY, mime_type="video/mp4")
    head = s3_storage.client.head_object(Bucket=BUCKET, Key=KEY)
    assert head["ContentType"] == "video/mp4"
    assert head["CacheControl"] == "private, max-age=86400"
    grants = s3_storage.client.get_object_acl(Bucket=BUCKET, Key=KEY)["Grants"]
    assert all(grant["Grantee"]["Type"] == "CanonicalUser" for grant in grants)


def test_a_refusal_by_our_own_object_is_a_success(s3_place, finished_file):
    """The reply to a success was lost, and the vendor's client sent the same again."""
    source = finished_file()
    with s3_place.backend._putting(KEY, "video/mp4") as arguments:
        s3_place.backend._storage.client.upload_file(str(source), **arguments)
        s3_place.backend._storage.client.upload_file(str(source), **arguments)
    with pytest.raises(ObjectExists):
        s3_place.backend.adopt(source, KEY, mime_type="video/mp4")


def test_a_failed_upload_in_parts_leaves_no_parts(s3_place):
    class CutShort(BytesIO):
        def read(self, size=-1):
            if self.tell() > 10_000_000:
                raise ConnectionResetError("the browser went away")
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        s3_place.backend.upload(CutShort(bytes(20_000_000)), "cut.mp4")
    assert not s3_place.backend._storage.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_a_bucket_that_does_not_exist_is_named_as_the_reason(s3_address):
    backend = S3StorageBackend(PrivateS3Storage(**s3_values(s3_address, bucket_name="nobody-made-this")))
    with pytest.raises(StorageUnavailable, match="AWS_STORAGE_BUCKET_NAME"):
        backend.check()


def test_a_server_that_refuses_connections_is_unavailable_within_the_time_outs(finished_file):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    backend = S3StorageBackend(PrivateS3Storage(**s3_values(address)))
    source = finished_file()
    started = time.monotonic()
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        backend.check()
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        backend.adopt(source, KEY, mime_type="video/mp4")
    assert time.monotonic() - started < 30
    assert source.exists()


def test_a_url_needs_no_server():
    backend = S3StorageBackend(PrivateS3Storage(**s3_values("http://127.0.0.1:9")))
    assert backend.get_url(KEY).startswith(f"http://127.0.0.1:9/{BUCKET}/{KEY}?")


def test_a_custom_domain_hands_out_cloudfront_signatures(private_key):
    options = s3_options(
        bucket_name=BUCKET,
        custom_domain="cdn.example.org",
        cloudfront_key_id="K1",
        cloudfront_key=private_key,
    )
    backend = S3StorageBackend(PrivateS3Storage(**options))
    url = urlsplit(backend.get_url(KEY, mime_type="video/webm", disposition="attachment"))
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc, url.path) == ("https", "cdn.example.org", f"/{KEY}")
    assert query["response-content-type"] == ["video/webm"]
    assert query["response-content-disposition"] == ["attachment"]
    assert query["Key-Pair-Id"] == ["K1"]
    assert query["Signature"]
    assert query["Expires"]


def test_a_custom_domain_without_a_signer_is_refused():
    with pytest.raises(ImproperlyConfigured, match="unsigned"):
        PrivateS3Storage(**s3_values("http://127.0.0.1:9", custom_domain="cdn.example.org"))


@pytest.mark.parametrize(
    "option", [{"querystring_auth": False}, {"default_acl": "public-read"}, {"file_overwrite": True}]
)
def test_options_that_publish_or_overwrite_are_refused(option):
    with pytest.raises(ImproperlyConfigured, match="private"):
        PrivateS3Storage(**s3_values("http://127.0.0.1:9", **option))


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("endpoint", ["https://s3.eu-west-1.amazonaws.com", "https://s3.example.org"])
def test_the_origins_that_pages_may_send_to_are_those_that_links_name(endpoint, style):
    values = {"bucket_name": "videos-of-ours", "endpoint_url": endpoint, "addressing_style": style}
    storage = PrivateS3Storage(**s3_options(**values, access_key="a", secret_key="b", region_name="eu-west-1"))
    link = storage.bucket.meta.client.generate_presigned_url(
        "get_object", Params={"Bucket": "videos-of-ours", "Key": "k"}
    )
    assert any(link.startswith(f"{origin}/") for origin in s3_origins(**values, custom_domain=""))
