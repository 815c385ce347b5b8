from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from slipway import env

NAME = "SLIPWAY_TEST_SETTING"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("smtp://mail.test", {"HOST": "mail.test", "PORT": 25, "USE_TLS": False, "USE_SSL": False}),
        ("smtp://u%40x:p%2Fw@mail.test:587", {"HOST_USER": "u@x", "HOST_PASSWORD": "p/w", "USE_TLS": True}),
        ("smtps://mail.test", {"PORT": 465, "USE_SSL": True, "USE_TLS": False}),
        ("", {"BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    ],
)
def test_mail(monkeypatch: pytest.MonkeyPatch, text: str, wanted: dict[str, object]) -> None:
    monkeypatch.setenv(NAME, text)
    assert env.mail(NAME).items() >= wanted.items()


@pytest.mark.parametrize("text", ["mail.test", "http://mail.test", "smtp://", "smtp://mail.test:port"])
def test_no_mail(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(env.WrongSetting):
        env.mail(NAME)


def test_outgoing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "hooks.internal, 10.0.0.0/8,[::1]")
    allowed = env.outgoing(NAME)
    assert allowed.hosts == {"hooks.internal"}
    assert allowed.lists("x", ipaddress.ip_address("10.1.1.1"))
    assert allowed.lists("x", ipaddress.ip_address("::1"))


@pytest.mark.parametrize("text", ["https://x", "a b", "10.0.0.0/99", "*"])
def test_no_outgoing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(env.WrongSetting):
        env.outgoing(NAME)


@pytest.mark.parametrize(
    ("url", "password", "wanted"),
    [
        ("redis://valkey:6379/0", "p/w", "redis://:p%2Fw@valkey:6379/0"),
        ("rediss://user@valkey/1", "pw", "rediss://user:pw@valkey/1"),
        ("redis://:own@valkey:6379/0", "pw", "redis://:own@valkey:6379/0"),
        ("unix:///run/valkey.sock", "pw", "unix:///run/valkey.sock"),
        ("redis://valkey:6379/0", "", "redis://valkey:6379/0"),
    ],
)
def test_the_password_of_the_queue_may_stand_apart(
    monkeypatch: pytest.MonkeyPatch, url: str, password: str, wanted: str
) -> None:
    monkeypatch.setenv(NAME, url)
    monkeypatch.setenv("REDIS_PASSWORD", password)
    assert env.redis_url(NAME, "") == wanted


def test_the_password_of_the_database_may_stand_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("p@ss/word\n")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(secret))
    monkeypatch.setenv(NAME, "postgresql://slipway@postgres/slipway")
    assert env.database(NAME, tmp_path)["PASSWORD"] == "p@ss/word"
    monkeypatch.setenv(NAME, "postgresql://slipway:own@postgres/slipway")
    assert env.database(NAME, tmp_path)["PASSWORD"] == "own"
