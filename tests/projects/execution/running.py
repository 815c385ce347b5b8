"""Runs of these tests: hostile or not, from a zip of files to what became of them."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from apps.projects.execution.runner import Runner
from apps.projects.models import LogChunk, ProjectRun

Files = Mapping[str, str | bytes]
_STAMP = re.compile(r"^\S+Z ", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """A run that ended; `log` is its text without times."""

    run: ProjectRun
    log: str

    @property
    def lines(self) -> list[str]:
        return self.log.splitlines()


def outcome_of(run: ProjectRun) -> Outcome:
    """As the database has it."""
    fresh = ProjectRun.objects.select_related("run").get(pk=run.pk)
    pieces = LogChunk.objects.filter(project_run=fresh).order_by("start").values_list("data", flat=True)
    return Outcome(fresh, _STAMP.sub("", b"".join(map(bytes, pieces)).decode()))


def own(text: str) -> str:
    """The text with marks (`1000.25`, `1006.5`) that no other tests on this host have."""
    return re.sub(r"\b(100[06])\.(?=\d)", rf"\1.{os.getpid()}", text)


def project(command: str, **files: str | bytes) -> Files:
    """A project with one command."""
    quoted = own(command).replace("'", "''")
    return {"MLproject": f"name: steps\nentry_points:\n  main:\n    command: '{quoted}'\n", **files}


def script(text: str) -> Files:
    """A project of one Python file."""
    return project("python step.py", **{"step.py": own(text)})


class MainThread:
    """Does something beside a run, in a thread that touches no database, and raises here what it raised."""

    def __init__(self, runner: Runner, work: Callable[[Runner], None] | None) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._do, args=(runner, work)) if work else None

    def _do(self, runner: Runner, work: Callable[[Runner], None]) -> None:
        try:
            work(runner)
        except BaseException as error:  # noqa: BLE001
            self._error = error
            runner.kill("the test failed")

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread:
            self._thread.join()
        if self._error:
            raise self._error


def marked(mark: str) -> list[int]:
    """The processes of this host whose command line holds a mark, and that are no zombies."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if own(mark).encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found
