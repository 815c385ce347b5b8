"""What tells an engine that a part still goes round."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.alive import Alive


def test_it_touches_the_file_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "alive"
    monkeypatch.setenv("SLIPWAY_ALIVE_FILE", str(file))
    alive = Alive()
    alive.touch(sender="whoever")
    assert file.exists()
    file.unlink()
    alive.touch()
    assert not file.exists()


def test_without_a_file_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_ALIVE_FILE", raising=False)
    Alive().touch()


def test_where_it_can_not_be_written_nothing_else_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_ALIVE_FILE", "/nowhere/at/all")
    Alive().touch()
