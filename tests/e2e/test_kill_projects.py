"""Whatever is killed while projects run: each run ends once, is done once at most, and nobody is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kills.rounds import kill_rounds

ROUNDS = int(os.environ.get("SLIPWAY_TEST_KILLS", "8"))


@pytest.mark.xdist_group("kill")
def test_kill_9_of_all_parts_while_projects_run(tmp_path: Path) -> None:
    report = kill_rounds(tmp_path, seed=4, rounds=ROUNDS, with_postgres=True)
    assert not report.wrong, report.text()
    assert report.killed.total() == ROUNDS
