from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels closes connections around each use, and with them the transaction that a test runs in."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
