"""A backup of an installation, restored into an empty one, by the commands that the guide names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import requests

from tests.compose.asking import answer, fetch, runs, wait_for
from tests.compose.stack import LARGE, URL, Stack
from tests.servers import Server

_USER = 10001


def test_a_backup_becomes_an_installation(up: Stack, server: Server, tmp_path: Path) -> None:
    found, seen = runs(server), _people(server)
    (first,) = (run_id for run_id, name in found.items() if name == "first")
    backups = up.folder / "backups"
    backups.mkdir(mode=0o700)
    # As the guide says: whose it is inside.
    os.chown(backups, _USER, _USER)
    web = ("run", "--rm", "--no-deps", "--volume", f"{backups}:/backups", "web")
    began = time.monotonic()
    saved = up.compose(*web, "backup", "/backups/monday.slipway")
    took = time.monotonic() - began
    print(f"\nbackup: {took:.0f} s with starting a container: {saved.splitlines()[0]}")  # noqa: T201
    head = up.slipway("audit", "verify").rpartition("Head: ")[2]

    up.compose("down", "--volumes")
    up.compose("up", "--detach", "--no-build", "--wait", "postgres", "valkey", "s3")
    up.compose("run", "--rm", "bucket")
    began = time.monotonic()
    restored = up.compose(*web, "restore", "/backups/monday.slipway")
    took = time.monotonic() - began
    print(f"restore: {took:.0f} s with starting a container: {restored.splitlines()[0]}")  # noqa: T201
    assert "All checksums are right." in restored
    assert ", 0 findings" in restored
    up.up()
    # Its certificates are no part of a backup: it made others.
    up.compose("cp", "proxy:/store/pki/authorities/local/root.crt", str(up.folder / "root.crt"))
    wait_for(lambda: requests.get(f"{URL}/health", timeout=30).status_code == 200)
    assert (runs(server), _people(server)) == (found, seen)
    assert fetch(server, first, "small.txt", tmp_path / "back").read_text() == "kept"
    assert fetch(server, first, "large.bin", tmp_path / "back").stat().st_size == LARGE
    assert int(up.slipway("audit", "verify").rpartition("Head: ")[2].split(":")[0]) >= int(head.split(":")[0])
    wait_for(lambda: answer(server) == [42.0], 600)
    assert "is not empty" in up.tried(*web, "restore", "/backups/monday.slipway").stderr


def _people(server: Server) -> list[str]:
    headers = {"Authorization": f"Bearer {server.token}"}
    said = requests.get(f"{URL}/api/v1/users/", headers=headers, timeout=30)
    return sorted(each["username"] for each in said.json()["results"])
