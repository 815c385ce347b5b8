from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import override_settings

from apps.core import outgoing
from apps.core.addresses import Allowed
from apps.core.errors import InvalidInput
from apps.core.outgoing import MAX_ANSWER, OutgoingError, check_url, send
from tests.receiver import Receiver, receiver

REFUSED = [
    "http://127.0.0.1/",
    "https://localhost/x",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00::1]/",
    "https://[64:ff9b::7f00:1]/",
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
    "ftp://8.8.8.8/",
    "http://8.8.8.8/",
    "https://user@8.8.8.8/",
    "https://user:pw@8.8.8.8/",
    "https://8.8.8.8/\r\nX: y",
    "https://8.8.8.8\\@127.0.0.1/",
    "https:///x",
    "https://8.8.8.8:99999/",
    "https://8.8.8.8/ä",
    "//8.8.8.8/",
    "",
    " ",
    "https://8.8.8.8/" + "x" * 3000,
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
]


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.mark.parametrize("url", REFUSED)
def test_these_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url)
    with pytest.raises(OutgoingError):
        send("POST", url, headers={}, seconds=1)


def test_these_are_not() -> None:
    check_url("https://8.8.8.8/hook?x=1")
    check_url("https://no-such-host.invalid/hook")


def test_it_sends_and_reads_the_answer(there: Receiver) -> None:
    answer = send("POST", f"{there.url}/hook?x=1", headers={"X-Test": "1"}, body=b"{}")
    assert (answer.status, answer.text) == (200, "thank you")
    got = there.got[0]
    assert (got.path, got.body, got.headers["X-Test"]) == ("/hook?x=1", b"{}", "1")
    assert got.headers["Host"] == there.url.removeprefix("http://")


def test_it_follows_no_redirect(there: Receiver) -> None:
    assert send("POST", f"{there.url}/redirect", headers={}).status == 302
    assert len(there.got) == 1


def test_an_endless_answer_is_cut_off(there: Receiver) -> None:
    answer = send("POST", f"{there.url}/endless", headers={})
    assert (answer.status, len(answer.body)) == (200, MAX_ANSWER)


def test_an_endless_head_is_an_error(there: Receiver) -> None:
    with pytest.raises(OutgoingError, match="too long"):
        send("POST", f"{there.url}/head", headers={})


@pytest.mark.parametrize("path", ["slow", "drip"])
def test_who_is_slow_is_left(there: Receiver, path: str) -> None:
    with pytest.raises(OutgoingError, match=r"within 0\.5 seconds"):
        send("POST", f"{there.url}/{path}", headers={}, seconds=0.5)


def test_what_nobody_listens_on_is_an_error(there: Receiver) -> None:
    with pytest.raises(OutgoingError, match="refused"):
        send("POST", "http://127.0.0.1:1/", headers={})


def test_a_header_can_not_smuggle(there: Receiver) -> None:
    with pytest.raises(OutgoingError):
        send("POST", there.url, headers={"Authorization": "x\r\nX-Evil: 1"})
    assert there.got == []


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_called(
    there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name answers with a public address first and with ours after: only the first answer is asked for."""
    answers = iter([["203.0.113.7", "127.0.0.1"], ["127.0.0.1"]])
    monkeypatch.setattr(outgoing, "look_up", lambda host, port: next(answers))
    with override_settings(OUTGOING_ALLOW=Allowed()), pytest.raises(OutgoingError, match="not of the public"):
        send("POST", "https://rebinding.example/", headers={}, seconds=1)
    assert there.got == []


def test_a_listed_name_may_lead_anywhere(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(outgoing, "look_up", look_up)
    port = there.url.rpartition(":")[2]
    with override_settings(OUTGOING_ALLOW=Allowed.of(["hooks.internal"])):
        assert send("POST", f"http://hooks.internal:{port}/", headers={}).status == 200
    assert asked == ["hooks.internal"]
    assert there.got[0].headers["Host"] == f"hooks.internal:{port}"


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """A server of `hooks.internal` with a certificate of its own: port, certificate, and the names it was asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.internal")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.internal")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "both.pem").write_bytes(secret + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    asked: list[str] = []
    context.sni_callback = lambda _, name, __: asked.append(str(name))
    with receiver(tls=context) as there:
        yield int(there.url.rpartition(":")[2]), folder / "cert.pem", asked


def test_tls_is_verified_unless_told_and_keeps_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "look_up", lambda host, port: ["127.0.0.1"])
    with tls_server(tmp_path) as (port, certificate, asked):
        url = f"https://hooks.internal:{port}/"
        with pytest.raises(OutgoingError, match="TLS"):
            send("POST", url, headers={})
        assert send("POST", url, headers={}, verify_tls=False).status == 200
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send("POST", url, headers={}).status == 200
        with pytest.raises(OutgoingError, match="TLS"):
            send("POST", f"https://other.internal:{port}/", headers={})
    assert asked == ["hooks.internal"] * 3 + ["other.internal"]
