"""Runners of these tests: they do what they are told, where real ones follow a child."""

from __future__ import annotations

import threading
import time

import pytest

from apps.core.actor import Actor
from apps.projects import actions
from apps.projects.actions import Ending, Fenced
from apps.projects.execution import slots
from apps.projects.models import ProjectRun, RunState


class Script:
    """What runs do: nothing ends before `let_end`, unless it is cancelled or killed."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.killed: list[tuple[int, str]] = []
        self.cancelled: list[int] = []
        self.let_end = threading.Event()
        self.fault: Exception | None = None
        # How often each run was done to its end.
        self.done: list[int] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> Script:
        """Let workers use it for their runs."""
        monkeypatch.setattr(slots, "Runner", lambda actor, run: ScriptedRunner(self, actor, run))
        return self


class ScriptedRunner:
    """One attempt of one run, as the script says."""

    def __init__(self, script: Script, actor: Actor, run: ProjectRun) -> None:
        self.script, self.actor, self.run_row = script, actor, run
        self._over = threading.Event()
        self._why = ""
        self._cancelled = False

    def run(self) -> None:
        """Start, wait, and write down how it ended."""
        actions.start_run(self.actor, run=self.run_row)
        self.script.began.append(self.run_row.pk)
        if self.script.fault is not None:
            raise self.script.fault
        while not (self._over.is_set() or self.script.let_end.is_set()):
            time.sleep(0.005)
        if self._why:
            raise Fenced(self._why)
        if not self._cancelled:
            self.script.done.append(self.run_row.pk)
        self._end(RunState.CANCELLED if self._cancelled else RunState.FINISHED)

    def cancel(self) -> None:
        """As somebody asked."""
        self._cancelled = True
        self.script.cancelled.append(self.run_row.pk)
        self._over.set()

    def kill(self, why: str) -> None:
        """At once."""
        self._why = why
        self.script.killed.append((self.run_row.pk, why))
        self._over.set()

    def _end(self, state: RunState) -> None:
        actions.end_attempt(self.actor, run=self.run_row, ending=Ending(state))
