"""Folders of attempts: empty, the attempt's own, and gone afterwards."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.conf import settings

from apps.projects.execution import rooms
from apps.projects.models import ProjectRun
from tests.waiting import until


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectRun:
    monkeypatch.setattr(settings, "DATA", type("Data", (), {"runs": tmp_path / "runs"})())
    return ProjectRun(pk=7)


def test_a_room_is_gone_with_its_attempt(run: ProjectRun) -> None:
    with rooms.room_of(run) as room:
        (room / "work" / "locked").mkdir(mode=0o500)
    assert not room.exists()


def test_a_stopped_worker_does_not_wait_for_it(run: ProjectRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to put the run back before it is killed itself, and a half-built environment takes seconds to remove."""
    may_go, remove = threading.Event(), rooms.remove
    monkeypatch.setattr(rooms, "remove", lambda room: (may_go.wait(30), remove(room)))
    with rooms.room_of(run, lambda: True) as room:
        pass
    assert room.exists()
    may_go.set()
    until(lambda: not room.exists())
