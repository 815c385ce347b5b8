"""A wrong setting stops the start with one line that names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway import env, env_oidc

BIN = Path(sys.executable).parent

WRONG = {
    "SLIPWAY_KUBERNETES_NAMESPACE": "Team A",
    "SLIPWAY_KUBERNETES_PODS": "0",
    "SLIPWAY_KUBERNETES_SERVICE": "NodePort",
    "SLIPWAY_SERVING_ADDRESS": "0.0.0.0",  # noqa: S104
    "SLIPWAY_SERVING_REPOSITORY": "registry.example.org/serving:latest",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
    "SLIPWAY_ACCESS_LOG": "all",
    "SLIPWAY_LOG_FORMAT": "xml",
    "DATABASE_URL": "mysql://host/db",
    "REDIS_URL": "localhost:6379",
    "SLIPWAY_ARTIFACT_LOCATIONS": "s3://bucket/prefix, gs://bucket",
    "SLIPWAY_ARTIFACT_STORE": "gs://bucket/prefix",
    "SLIPWAY_DOCKER_VOLUMES": "/data/sets, sets:rw",
    "SLIPWAY_EMAIL_URL": "mail.example.org",
    "SLIPWAY_HOME": "/dev/null/slipway",
    "SLIPWAY_LOG_LEVEL": "loud",
    "SLIPWAY_LOG_LIMIT_MB": "0",
    "SLIPWAY_NO_LOGIN": "perhaps",
    "SLIPWAY_PASSWORD_SIGN_IN": "false",
    "SLIPWAY_OUTGOING_ALLOW": "10.0.0.0/8, https://hooks.example.org",
    "SLIPWAY_PROJECT_ARCHIVE_DAYS": "some",
    "SLIPWAY_PROJECT_ARCHIVE_MB": "0",
    "SLIPWAY_PROJECT_FILES": "many",
    "SLIPWAY_PROJECT_FOLDERS": "projects",
    "SLIPWAY_PROJECT_TIME_LIMIT": "0",
    "SLIPWAY_PROJECT_UNPACKED_MB": "-1",
    "SLIPWAY_PUBLIC_URL": "slipway.example.org",
    "SLIPWAY_RETENTION_DAYS": "a month",
    "SLIPWAY_S3_ENCRYPTION": "aes",
    "SLIPWAY_S3_ENDPOINT_URL": "s3.example.org",
    "SLIPWAY_S3_PUBLIC_URL": "s3.example.org",
    "SLIPWAY_SECRET_KEY": "short",
    "SLIPWAY_SECRET_KEY_FILE": "/nowhere",
    "SLIPWAY_TRACKING_URL": "web:5000",
    "SLIPWAY_TRUSTED_PROXIES": "10.0.0.0/8, proxy",
}


# What is wrong beside a whole set of the others, and the name that the line begins with.
OIDC = {
    "SLIPWAY_OIDC_ISSUER": "https://login.example.org",
    "SLIPWAY_OIDC_CLIENT_ID": "slipway",
    "SLIPWAY_OIDC_CLIENT_SECRET": "secret",
}
WRONG_OIDC = [
    ("SLIPWAY_OIDC_ISSUER", ""),
    ("SLIPWAY_OIDC_ISSUER", "login.example.org"),
    ("SLIPWAY_OIDC_ISSUER", "http://login.example.org"),
    ("SLIPWAY_OIDC_ISSUER", "https://login.example.org/?tenant=1"),
    ("SLIPWAY_OIDC_CLIENT_ID", ""),
    ("SLIPWAY_OIDC_CLIENT_SECRET", ""),
    ("SLIPWAY_OIDC_CLIENT_SECRET_FILE", "/nowhere"),
    ("SLIPWAY_OIDC_NAME", "x" * 41),
    ("SLIPWAY_OIDC_SCOPES", "profile email"),
    ("SLIPWAY_OIDC_GROUPS", "ml=forge"),
    ("SLIPWAY_OIDC_CREATE_USERS", "some"),
    ("SLIPWAY_OIDC_LINK_BY_EMAIL", "verified"),
    ("SLIPWAY_PASSWORD_SIGN_IN", "never"),
]


def slipway(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`slipway ARGUMENTS` with a clean environment."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "SLIPWAY_HOME": str(home / "data"), **more}
    return subprocess.run([BIN / "slipway", *arguments], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_setting_is_one_line(tmp_path: Path, name: str) -> None:
    done = slipway(tmp_path, "server", **{name: WRONG[name]})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"slipway: {name}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "value"), WRONG_OIDC)
def test_a_wrong_or_half_set_of_a_provider_is_one_line(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, word in {**OIDC, name: value}.items():
        monkeypatch.setenv(key, word)
    with pytest.raises(env.WrongSetting, match=f"^{name}") as caught:
        env_oidc.password_sign_in("SLIPWAY_PASSWORD_SIGN_IN", env_oidc.oidc())
    assert "\n" not in str(caught.value)


def test_half_a_set_stops_the_start(tmp_path: Path) -> None:
    done = slipway(tmp_path, "server", SLIPWAY_OIDC_GROUPS="ml=forge:member")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("slipway: SLIPWAY_OIDC_ISSUER: SLIPWAY_OIDC_GROUPS is set, and this is not")


def test_a_provider_as_it_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_oidc.oidc() is None
    (tmp_path / "secret").write_text("of a file\n")
    for key, word in OIDC.items():
        monkeypatch.setenv(key, word)
    monkeypatch.setenv("SLIPWAY_OIDC_ISSUER", "https://login.example.org/realms/x/.well-known/openid-configuration")
    monkeypatch.setenv("SLIPWAY_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("SLIPWAY_OIDC_SCOPES", "openid, groups")
    found = env_oidc.oidc()
    assert found is not None
    assert (found.issuer, found.client_secret) == ("https://login.example.org/realms/x", "of a file")
    assert (found.name, found.scopes, found.creates_users) == ("login.example.org", ("openid", "groups"), True)
    assert "of a file" not in repr(found)


def test_up_says_the_same(tmp_path: Path) -> None:
    done = slipway(tmp_path, "up", "--port", "1", DATABASE_URL="mysql://host/db", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 2
    assert done.stderr.startswith("slipway: ")
    assert done.stderr.count("\n") == 1


def test_a_password_that_is_no_password_is_refused(tmp_path: Path) -> None:
    done = slipway(tmp_path, "migrate", "--verbosity", "0", SLIPWAY_ADMIN_PASSWORD="short")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("slipway: SLIPWAY_ADMIN_PASSWORD: ")


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = slipway(tmp_path, "migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("slipway: DATABASE_URL: ")


@pytest.mark.parametrize("command", [("token", "create", "admin"), ("audit", "verify")])
def test_commands_too_say_so_in_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = slipway(tmp_path, *command, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("slipway: DATABASE_URL: ")
    before_the_first_start = slipway(tmp_path, *command)
    assert (before_the_first_start.returncode, before_the_first_start.stderr.count("\n")) == (2, 1)
    assert "run `slipway up`" in before_the_first_start.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "slipway.example.org"])  # noqa: S104
def test_no_login_is_for_loopback_alone(tmp_path: Path, host: str) -> None:
    for arguments in (["up", "--no-login", "--host", host], ["server", "-h", host]):
        done = slipway(tmp_path, *arguments, SLIPWAY_NO_LOGIN="true")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "--no-login is for this machine alone" in done.stderr


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 50 + "\n")
    done = slipway(
        tmp_path,
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings; print(settings.SECRET_KEY)",
        SLIPWAY_SECRET_KEY_FILE=str(tmp_path / "key"),
    )
    assert done.stdout.strip() == "k" * 50


def test_the_deployment_checks_find_nothing(tmp_path: Path) -> None:
    done = slipway(tmp_path, "check", "--deploy", "--fail-level", "WARNING", SLIPWAY_PUBLIC_URL="https://slipway.test")
    assert done.returncode == 0, done.stderr


def test_an_unknown_command_is_told(tmp_path: Path) -> None:
    done = slipway(tmp_path, "launch")
    assert done.returncode == 1
    assert "Unknown command: 'launch'" in done.stderr


def test_help_names_our_commands_first(tmp_path: Path) -> None:
    lines = slipway(tmp_path, "--help").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:8]] == ["up", "server", "worker", "serving", "scheduler", "migrate"]
