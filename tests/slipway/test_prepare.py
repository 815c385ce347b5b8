"""`slipway prepare`, the first thing in an installation by compose: one line where a secret is missing or weak."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest

from tests.slipway.test_settings import slipway

NAMES = ["SLIPWAY_SECRET_KEY", "SLIPWAY_ADMIN_PASSWORD", "DATABASE_PASSWORD", "REDIS_PASSWORD", "AWS_SECRET_ACCESS_KEY"]
NAMES += ["S3_ENCRYPTION_KEY"]


def files(folder: Path, **others: str) -> dict[str, str]:
    """The variables that name a file for each secret."""
    named = {}
    for name in NAMES:
        file = folder / name.lower()
        file.write_text(others.get(name, secrets.token_hex(24)))
        named[f"{name}_FILE"] = str(file)
    return named


def test_good_secrets_are_enough(tmp_path: Path) -> None:
    on_the_way = tmp_path / "data" / "tmp"
    done = slipway(tmp_path, "prepare", **files(tmp_path), TMPDIR=str(on_the_way))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert on_the_way.is_dir()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("value", "said"), [("", "it is empty"), ("short", "it is weak"), ("a" * 64, "it is weak")])
def test_a_bad_one_is_one_line(tmp_path: Path, name: str, value: str, said: str) -> None:
    done = slipway(tmp_path, "prepare", **files(tmp_path, **{name: value}))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"slipway: {name} ({tmp_path / name.lower()}): {said}")


def test_what_would_break_an_address_is_refused(tmp_path: Path) -> None:
    done = slipway(tmp_path, "prepare", **files(tmp_path, DATABASE_PASSWORD="with/slash@and:more-of-it"))
    assert done.returncode == 2
    assert "letters, digits" in done.stderr


def test_the_script_makes_good_ones_and_keeps_them(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "deploy" / "secrets.sh"
    folder = tmp_path / "secrets"
    for _ in range(2):
        subprocess.run(["sh", script, folder], check=True)
        found = {file.name: file.read_text() for file in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(found) == {
        *("secret_key", "admin_password", "postgres_password", "valkey_password", "s3_secret_key"),
        *("s3_encryption_key", "grafana_password", "oidc_client_secret"),
    }
    assert found.pop("oidc_client_secret") == ""
    assert all(value.isalnum() and len(value) >= 20 for value in found.values())
    (folder / "valkey_password").unlink()
    subprocess.run(["sh", script, folder], check=True)
    assert {**found, "valkey_password": ""} == {
        file.name: "" if file.name == "valkey_password" else file.read_text()
        for file in folder.iterdir()
        if file.name != "oidc_client_secret"
    }
