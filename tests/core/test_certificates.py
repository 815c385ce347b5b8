"""The certificate of the public address, as a worker sees it."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from apps.core import certificates
from apps.core.tasks import look_at_certificate
from tests.receiver import receiver


def context_until(end: datetime, folder: Path) -> ssl.SSLContext:
    """Of a certificate that nobody trusts, good since yesterday."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(end)
    file = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_it_is_seen_until_when_it_is_good(tmp_path: Path) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    # What is changed last is given back first: the receiver changes a setting, too.
    with (
        receiver(tls=context_until(end, tmp_path)) as there,
        override_settings(PUBLIC_URL=there.url.replace("http:", "https:")),
    ):
        look_at_certificate()
    known = certificates.known()
    assert known is not None and known[1] == end.timestamp()
    assert known[0] == pytest.approx(time.time() - 86_400, abs=120)


@pytest.mark.parametrize("url", ["", "http://localhost", "https://127.0.0.1:1", "https://no-such-host.invalid"])
def test_nothing_is_known_where_nothing_is_shown(settings: Any, url: str) -> None:
    settings.PUBLIC_URL = url
    assert certificates.look() is None
    assert certificates.known() is None
