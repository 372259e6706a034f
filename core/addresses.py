"""Where a request comes from, behind as many proxies as are trusted."""

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest, *, trusted_proxy_count: int) -> str | None:
    """Return the client's IP address, or None when there is none.

    Each trusted proxy appends the address it saw to X-Forwarded-For, so the client is that many entries from the
    right; what stands further left was written by the client itself and is not believed.
    """
    candidate = request.META.get("REMOTE_ADDR", "")
    if trusted_proxy_count:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if len(forwarded) >= trusted_proxy_count:
            candidate = forwarded[-trusted_proxy_count].strip()
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return None
