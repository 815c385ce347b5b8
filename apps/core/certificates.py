"""When the certificate that people meet at the public address ends. A worker looks; `/metrics` tells what it saw."""

from __future__ import annotations

import logging
import socket
import ssl
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

_KEY = "core.certificate_end"
_KEPT_SECONDS = 3 * 60 * 60
_TIMEOUT_SECONDS = 5.0


def look() -> float | None:
    """Ask the public address for its certificate, and keep its end; None where there is no TLS, or nobody answers.

    Whether it is to be trusted is not asked: one of a house's own authority ends as well.
    """
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    try:
        end = _end_of(parts.hostname, parts.port or 443)
    except (OSError, ValueError) as error:
        logger.info("the certificate of %s can't be looked at from here: %s", parts.hostname, error)
        return None
    cache.set(_KEY, end, timeout=_KEPT_SECONDS)
    return end


def known_end() -> float | None:
    """What `look` saw last, in seconds since the epoch."""
    end = cache.get(_KEY)
    return None if end is None else float(end)


def _end_of(host: str, port: int) -> float:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, port), _TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("it shows none")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
