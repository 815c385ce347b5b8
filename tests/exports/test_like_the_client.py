"""What the real client reads from us, it reads from the folder too, and from what MLflow's own tool makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.imports.stores_of import needs_client, read, script, unpack
from tests.imports.test_like_the_client import MAKE_TEAM
from tests.servers import Server, postgres_database, postgres_is_there, slipway_server

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("exports")]

# What is in the database is the same: reading it out of each is compared by the first test.
ON_SQLITE = pytest.mark.parametrize("ours", ["sqlite"], indirect=True, scope="module")
_BIN = Path(sys.executable).parent


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    needs_client()
    home = tmp_path_factory.mktemp("ours")
    with ExitStack() as stack:
        if request.param == "postgresql":
            if not postgres_is_there():
                pytest.skip("PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES")
            database = stack.enter_context(postgres_database())
        else:
            database = f"sqlite:///{home}/slipway.db"
        server = stack.enter_context(slipway_server(home, database=database))
        # Half of it was brought over, and half is logged by the client of today.
        server.command("import", str(unpack("mlflow-2.22-sqlite", tmp_path_factory.mktemp("there")) / "mlflow.db"))
        yield server


def sources(found: Any) -> Any:
    """Without the addresses of files, which are of each place its own."""
    for version in found["versions"].values():
        version.pop("source")
    return found


def test_a_folder_reads_the_same_as_the_server(ours: Server, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "All of it is there: nothing differs." in ours.command("export", str(out), "--checksums")
    here = sources(read(ours.url, ours.token))
    assert len(here["runs"]) == 10
    assert sources(read(f"file:{out}/mlruns")) == here


@ON_SQLITE
def test_mlflows_own_tool_makes_a_database_of_it(ours: Server, tmp_path: Path) -> None:
    out, database = tmp_path / "out", f"sqlite:///{tmp_path}/mlflow.db"
    ours.command("export", str(out))
    command = [str(_BIN / "mlflow"), "migrate-filestore", "--source", str(out / "mlruns"), "--target", database]
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert sources(read(database)) == sources(read(ours.url, ours.token))


def test_a_killed_export_goes_on(ours: Server, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    ours.command("export", str(whole), "--address", "file:///same")
    command = [str(_BIN / "slipway"), "export", str(out), "--address", "file:///same"]
    process = subprocess.Popen(command, env=dict(ours.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(out.glob("mlruns/*/*/meta.yaml")):
        pass
    process.kill()
    process.wait()
    assert "nothing differs" in ours.command("export", str(out), "--address", "file:///same", "--checksums")
    assert tree(out) == tree(whole)


def tree(folder: Path) -> dict[str, bytes]:
    store = folder / "mlruns"
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


@ON_SQLITE
def test_what_the_client_logs_today_goes_too(ours: Server, tmp_path: Path) -> None:
    token = token_of_team(ours, "today")
    script("fill_store.py", ours.url, MLFLOW_TRACKING_TOKEN=token)
    out = tmp_path / "out"
    assert "nothing differs" in ours.command("export", str(out), "--team", "today", "--checksums")
    assert sources(read(f"file:{out}/mlruns")) == sources(read(ours.url, token))


@ON_SQLITE
def test_another_slipway_takes_it(ours: Server) -> None:
    token = token_of_team(ours, "copy")
    to_copy = replace(ours, env={**ours.env, "MLFLOW_TRACKING_TOKEN": token})
    assert "nothing differs" in to_copy.command("export", ours.url, "--checksums")
    assert "Written: nothing." in to_copy.command("export", ours.url)
    here, there = read(ours.url, ours.token), read(ours.url, token)
    assert held(there) == held(here)


def token_of_team(server: Server, team: str) -> str:
    """A token whose calls speak for a new team."""
    server.command("shell", "-c", MAKE_TEAM.format(team=team))
    return server.command("token", "create", "admin", "--team", team)


def held(found: Any) -> Any:
    """What was logged, by names: ids are of each place its own."""
    facts = (
        "experiment",
        "name",
        "status",
        "stage",
        "times",
        "user",
        "latest",
        "history",
        "params",
        "datasets",
        "files",
    )
    runs = sorted(json.dumps([run[fact] for fact in facts], sort_keys=True) for run in found["runs"].values())
    versions = {
        name: [version["text"], version["stage"], version["status"], logged(version["tags"]), version["files"]]
        for name, version in found["versions"].items()
    }
    return runs, versions


def logged(tags: dict[str, str]) -> dict[str, str]:
    """Without those by which an export finds its own again."""
    return {key: value for key, value in tags.items() if not key.startswith("slipway.export.")}
