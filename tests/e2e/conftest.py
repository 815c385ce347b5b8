from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, slipway_up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a server stay on one worker of the parallel run."""
    for item in items:
        if "tests/e2e" in str(item.path) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A whole installation, as `slipway up` makes it on a laptop."""
    with slipway_up(tmp_path_factory.mktemp("up")) as server:
        yield server
