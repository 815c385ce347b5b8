from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine import docker_engine


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """The address of a Docker engine."""
    with docker_engine() as address:
        yield address


@pytest.fixture(autouse=True)
def _no_other_engine(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "engine" in request.fixturenames:
        monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("engine"))
