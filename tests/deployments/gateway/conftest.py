from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway gives its connections back after each question, and with them the transaction that a test runs in."""
    monkeypatch.setattr("apps.deployments.gateway.threads.close_old_connections", lambda: None)


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with TemporaryDirectory(prefix="sw-gw-") as folder:
        yield Path(folder)
