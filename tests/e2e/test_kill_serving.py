"""Whatever is killed while models are called: no wrong answer, all is whole again, and nobody is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kills.parts import postgres_binaries
from tests.serving_kills.rounds import Wishes, serving_rounds

ROUNDS = int(os.environ.get("SLIPWAY_TEST_KILLS", "8"))
# The command says how long it takes; here the machine may do other things, and a minute means that nobody saw to it.
WHOLE_WITHIN = 60.0


@pytest.mark.xdist_group("kill")
def test_kill_9_of_all_parts_while_models_are_called(tmp_path: Path) -> None:
    with_postgres = postgres_binaries() is not None
    wishes = Wishes(seed=4, rounds=ROUNDS, changes=6, whole_within=WHOLE_WITHIN, with_postgres=with_postgres)
    report = serving_rounds(tmp_path, wishes)
    assert not report.wrong, report.text()
    assert report.killed.total() == ROUNDS and report.changes == 6 and not report.bad_in_changes
