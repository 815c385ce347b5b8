from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.servers import Server, mlflow_server, postgres_database, postgres_is_there, slipway_server


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The servers for each database are started by one worker of the parallel run."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            given = getattr(item, "callspec", None)
            database = given.params.get("ours", "any") if given else "any"
            item.add_marker(pytest.mark.xdist_group(f"contract {database}"))


@pytest.fixture(scope="session")
def theirs(ours: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow's own server; an empty one beside each of ours."""
    if find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: uv run --group client pytest")
    with mlflow_server(tmp_path_factory.mktemp("theirs")) as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Ours, on each database."""
    home = tmp_path_factory.mktemp("ours")
    with ExitStack() as stack:
        if request.param == "postgresql":
            if not postgres_is_there():
                pytest.skip("PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES")
            database = stack.enter_context(postgres_database())
        else:
            database = f"sqlite:///{home}/slipway.db"
        yield stack.enter_context(slipway_server(home, database=database))
