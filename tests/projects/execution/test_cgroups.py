"""What workers leave in the kernel when they are killed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from apps.runtime.limits import Limits
from apps.runtime.process.cgroups import Cgroups


def test_groups_of_workers_that_died_are_removed(tmp_path: Path) -> None:
    """Plain folders stand for the kernel's here: one that is in use can't be removed in both."""
    process = subprocess.Popen(["true"])
    process.wait()
    cgroups = Cgroups(2, (("pids", tmp_path), ("cpu", tmp_path)))
    mine = cgroups.group(Limits()).places[0]
    gone, reused, used = (
        tmp_path / f"slipway-run-{process.pid}.1-a",
        tmp_path / f"slipway-run-{os.getpid()}.1-a",
        tmp_path / f"slipway-run-{process.pid}.1-b",
    )
    others = tmp_path / "system.slice"
    for folder in (gone, reused, used, used / "child", others):
        folder.mkdir()
    assert cgroups.clean() == 2
    assert {each.name for each in tmp_path.iterdir()} == {mine.name, used.name, others.name}
