"""Until when the certificate that people meet at the public address is good. A worker looks; `/metrics` tells."""

from __future__ import annotations

import logging
import socket
import ssl
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

_KEY = "core.certificate"
_KEPT_SECONDS = 3 * 60 * 60
_TIMEOUT_SECONDS = 5.0


def look() -> tuple[float, float] | None:
    """Ask the public address for its certificate, and keep its times; None where there is no TLS, or nobody answers.

    Whether it is to be trusted is not asked: one of a house's own authority ends as well.
    """
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    try:
        times = _times_of(parts.hostname, parts.port or 443)
    except (OSError, ValueError) as error:
        logger.info("the certificate of %s can't be looked at from here: %s", parts.hostname, error)
        return None
    keep(times)
    return times


def keep(times: tuple[float, float]) -> None:
    """Let `/metrics` tell these, for some hours."""
    cache.set(_KEY, times, timeout=_KEPT_SECONDS)


def known() -> tuple[float, float] | None:
    """When what `look` saw last begins and ends, in seconds since the epoch."""
    times: tuple[float, float] | None = cache.get(_KEY)
    return times


def _times_of(host: str, port: int) -> tuple[float, float]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, port), _TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("it shows none")
    read = x509.load_der_x509_certificate(shown)
    return read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()
