"""The vendor's client as Practika wants it: private, with time-outs, flat in memory.

# Note [Silence is not asked twice]
An error, or a connection that breaks, is answered by up to three tries, a second or two apart. A bucket that takes a
request and says nothing for READ_TIMEOUT_S is believed: three times that would keep a person waiting for longer than
anybody does, and what it is still busy with (putting together a long video) would be begun again beside itself.
"""

from functools import cached_property

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from django.core.exceptions import ImproperlyConfigured
from storages.backends.s3 import S3Storage

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
ATTEMPTS = 3
PART_BYTES = 8 * 1024 * 1024


class PrivateS3Storage(S3Storage):
    """django-storages' S3Storage with time-outs, flat memory, and a refusal of anything unsigned."""

    def __init__(self, **options):
        super().__init__(**options)
        if self.custom_domain and not self.cloudfront_signer:
            raise ImproperlyConfigured("A custom domain without a CloudFront key would hand out unsigned URLs.")
        if not self.querystring_auth or self.default_acl or self.file_overwrite:
            raise ImproperlyConfigured("Videos are private: keep the options that s3_options() returns.")
        self.client_config = Config(
            signature_version=self.signature_version,
            s3={"addressing_style": self.addressing_style},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Two parts in memory at a time, whatever the size of the video.
        self.transfer_config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2
        )
        self.transfer_config.max_in_memory_upload_chunks = 2

    @cached_property
    def client(self):
        """The one client of all threads (clients are thread-safe; S3Storage would build one for each)."""
        client = self.connection.meta.client
        for operation in ("PutObject", "CompleteMultipartUpload"):
            client.meta.events.register(f"before-parameter-build.s3.{operation}", _never_overwrite)
        client.meta.events.register("before-parameter-build.s3.UploadPart", _take_signed_headers)
        client.meta.events.register("before-sign.s3.UploadPart", _add_signed_headers)
        client.meta.events.register_first("needs-retry.s3", _give_silence_up)
        return client


def _never_overwrite(params: dict, **_) -> None:
    """Add the condition of core/storage/s3.py, Note [Never overwriting in S3], to a request of the vendor's client."""
    params["IfNoneMatch"] = "*"


def _give_silence_up(caught_exception: Exception | None = None, **_) -> None:
    """End the tries where there was no answer in time; see Note [Silence is not asked twice]."""
    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception


def _take_signed_headers(params: dict, context: dict, **_) -> None:
    """Keep the headers that `core.storage.s3_parts` wants signed; they are no parameter of the vendor's."""
    context["signed_headers"] = params.pop("SignedHeaders", {})


def _add_signed_headers(request, **_) -> None:
    """Put them into the request: the vendor's signature takes x-amz-content-sha256 for the body's hash."""
    for name, value in request.context.get("signed_headers", {}).items():
        request.headers[name] = value
