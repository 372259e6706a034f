"""What Django's STORAGES says in S3 mode. It imports nothing: settings call it before anything is set up."""

S3_STORAGE = "core.storage.s3_client.PrivateS3Storage"


def s3_options(
    *,
    bucket_name: str,
    access_key: str = "",
    secret_key: str = "",
    region_name: str = "us-east-1",
    endpoint_url: str = "",
    addressing_style: str = "auto",
    custom_domain: str = "",
    cloudfront_key_id: str = "",
    cloudfront_key: str = "",
    encryption: str = "",
) -> dict[str, object]:
    """Return OPTIONS for `STORAGES["default"]`, whose BACKEND is `S3_STORAGE`.

    Empty keys leave the search for credentials to the vendor's chain (an instance's role). `cloudfront_key` is a PEM
    text; `encryption` is asked for with each object ("AES256", "aws:kms"). Nothing is judged here: settings refuse in
    sentences, the storage refuses what is public.
    """
    encrypted = {"ServerSideEncryption": encryption} if encryption else {}
    return {
        "bucket_name": bucket_name,
        "access_key": access_key or None,
        "secret_key": secret_key or None,
        "region_name": region_name,
        "endpoint_url": endpoint_url or None,
        "addressing_style": addressing_style,
        "custom_domain": custom_domain or None,
        "cloudfront_key_id": cloudfront_key_id or None,
        "cloudfront_key": cloudfront_key or None,
        "signature_version": "s3v4",
        "querystring_auth": True,
        "default_acl": None,
        "file_overwrite": False,
        "object_parameters": {"CacheControl": "private, max-age=86400"} | encrypted,
    }


def s3_origins(*, endpoint_url: str, bucket_name: str, addressing_style: str, custom_domain: str) -> list[str]:
    """Return the origins a browser sends parts to and plays videos from; `addressing_style` is "path" or "virtual".

    A custom domain plays; parts still go to the bucket.
    """
    scheme, _, host = endpoint_url.rstrip("/").partition("://")
    bucket = f"{scheme}://{bucket_name}.{host}" if addressing_style == "virtual" else f"{scheme}://{host}"
    return [bucket, *([f"https://{custom_domain}"] if custom_domain else [])]
