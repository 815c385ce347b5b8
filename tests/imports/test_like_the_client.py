"""What the client that wrote a store read from it, the client of today reads from Slipway when it was brought over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.imports.stores_of import needs_client, read, unpack
from tests.servers import Server, postgres_database, postgres_is_there, slipway_server

pytestmark = pytest.mark.xdist_group("imports")


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
        yield stack.enter_context(slipway_server(home, database=database))


def of_team(server: Server, team: str) -> str:
    """A token whose calls speak for a team of its own."""
    server.command("shell", "-c", MAKE_TEAM.format(team=team))
    return server.command("token", "create", "admin", "--team", team)


MAKE_TEAM = """
from apps.accounts import actions
from apps.core.actor import system_actor
actions.create_team(system_actor(), name={team!r})
"""


_LARGEST = "1.7976931348623157e+308"


def read_then(folder: Path, store: str) -> Any:
    """What the store's own client read, but for two things that only folders keep, or their client misreads."""
    found = json.loads((folder / "read.json").read_text())
    if store.endswith("files"):
        # Databases, MLflow's and ours, keep infinity as the largest number.
        found = json.loads(json.dumps(found).replace('"inf"', f'"{_LARGEST}"').replace('"-inf"', f'"-{_LARGEST}"'))
        for run in found["runs"].values():
            # The client takes the step of a line for 0 when the line names a dataset; the line says 3.
            for point in run["history"].get("of_model", ()):
                point[0] = 3
    return found


# Each database of ours takes a database and a folder, of both releases.
STORES = {
    "sqlite": ["mlflow-2.22-sqlite", "mlflow-3.17-files"],
    "postgresql": ["mlflow-3.17-sqlite", "mlflow-2.22-files"],
}


@pytest.mark.client
@pytest.mark.parametrize("place", [0, 1])
def test_a_store_reads_the_same_here(ours: Server, tmp_path: Path, place: int) -> None:
    kind = "postgresql" if ours.env["DATABASE_URL"].startswith("postgresql") else "sqlite"
    store = STORES[kind][place]
    folder = unpack(store, tmp_path / "there")
    team = store.replace(".", "-")
    token = of_team(ours, team)
    named = str(folder / ("mlruns" if store.endswith("files") else "mlflow.db"))
    told = ours.command("import", named, "--team", team, "--checksums")
    assert "All of it is here: nothing differs." in told
    assert read(ours.url, token) == read_then(folder, store)
    again = ours.command("import", named, "--team", team)
    assert "Brought over: nothing." in again
