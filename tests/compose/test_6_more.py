"""What else is promised of the image and of the bundle. The installation of the tests before is taken down first."""

from __future__ import annotations

import secrets
import tarfile
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.compose.asking import all_healthy, wait_for
from tests.compose.engine import Engine, engine, said
from tests.compose.images import OURS
from tests.compose.stack import Stack

ALONE = "http://localhost:5000"


def test_the_image_alone_is_an_installation(unpacked: Stack, docker: Engine) -> None:
    unpacked.tried("down")
    password = secrets.token_urlsafe(16)
    docker.docker("network", "create", "alone")
    rights = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
    given = ("-e", f"SLIPWAY_ADMIN_PASSWORD={password}", "-p", "5000:5000", "-v", "alone:/data", "--network", "alone")
    for _ in range(2):
        name = docker.docker("run", "--detach", *rights, *given, OURS)
        wait_for(lambda: requests.get(f"{ALONE}/health", timeout=30).status_code == 200)
        wait_for(partial(_is_healthy, docker, name))
        token = docker.docker("exec", name, "slipway", "token", "create", "admin")
        headers = {"Authorization": f"Bearer {token}"}
        found = requests.get(f"{ALONE}/api/v1/users/", headers=headers, timeout=30)
        assert found.status_code == 200, found.text
        docker.docker("stop", "--time", "60", name)
        assert docker.docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
        docker.docker("rm", name)
    docker.docker("volume", "rm", "alone")


def _is_healthy(docker: Engine, name: str) -> bool:
    return docker.docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy"


def test_a_bundle_is_an_installation_elsewhere(unpacked: Stack, docker: Engine, tmp_path: Path) -> None:
    """On an engine that has no image at all."""
    archive = tmp_path / "bundle.tar"
    said(["sh", "deploy/bundle.sh", str(archive)], docker.env, cwd=unpacked.folder)
    there = tmp_path / "there"
    there.mkdir()
    with tarfile.open(archive) as content:
        content.extractall(there, filter="data")
    archive.unlink()
    with engine(apart=True, data=tmp_path / "docker") as other:
        made = Stack(
            other, there / "slipway", {"SLIPWAY_PUBLIC_URL": "http://localhost:8080", "SLIPWAY_HTTP_PORT": "8080"}
        )
        said(["sh", "deploy/load.sh"], other.env, cwd=made.folder)
        made.begin()
        try:
            made.up()
            assert all_healthy(made)
            assert requests.get("http://localhost:8080/health", timeout=30).text == "OK"
        finally:
            made.tried("down", "--volumes", "--timeout", "10")


def test_a_bundle_that_was_cut_is_refused(unpacked: Stack, docker: Engine, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "load.sh").write_bytes((unpacked.folder / "deploy" / "load.sh").read_bytes())
    (tmp_path / "images.tar.gz").write_bytes(b"half")
    (tmp_path / "images.sha256").write_text(f"{'0' * 64}  images.tar.gz\n")
    with pytest.raises(AssertionError, match="copy the archive again"):
        said(["sh", "deploy/load.sh"], docker.env, cwd=tmp_path)
