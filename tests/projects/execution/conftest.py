from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from apps.projects.execution.runner import Runner
from apps.projects.models import Archive, ProjectRun, SourceKind
from apps.runtime import abilities
from apps.runtime.abilities import sandbox_here
from apps.runtime.limits import Limits
from tests.personas import People
from tests.projects.archives import zipped
from tests.projects.execution.running import Files, MainThread, Outcome, outcome_of
from tests.projects.making import NOW_MS, make_project, make_run
from tests.projects.queue.making import SYSTEM, claim, make_worker

Execute = Callable[..., Outcome]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other: they look at all processes of the host for those that a run left."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("execution"))


@pytest.fixture(params=["sandboxed", "process"])
def level(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Both ways to keep a run apart; whoever asks for it runs twice."""
    if request.param == "sandboxed" and sandbox_here()[0] is None:
        pytest.skip(f"no sandbox: {sandbox_here()[2]}")
    settings.PROJECT_ISOLATION = request.param
    abilities.host.cache_clear()
    yield request.param
    abilities.host.cache_clear()


@pytest.fixture
def sandboxed(settings: Any) -> Iterator[None]:
    """The stronger of them alone."""
    if sandbox_here()[0] is None:
        pytest.skip(f"no sandbox: {sandbox_here()[2]}")
    settings.PROJECT_ISOLATION = "sandboxed"
    abilities.host.cache_clear()
    yield
    abilities.host.cache_clear()


def archive_of(people: People, files: Files) -> Archive:
    """A zip in the store, whatever it holds: who uploads one is refused what is bad, and a worker sees to itself."""
    content = zipped(files).getvalue()
    digest = hashlib.sha256(content).hexdigest()
    made = Archive(
        team=people.forge, digest=digest, bytes=len(content), files=len(files), owner=people.ada.user, created_ms=NOW_MS
    )
    if not storages["artifacts"].exists(made.path):
        storages["artifacts"].save(made.path, ContentFile(content))
    made.save()
    return made


_FREE = Limits()


@pytest.fixture
def queued(people: People) -> Callable[..., ProjectRun]:
    """Queue a run of a project of some files, and claim it."""

    numbers = count(1)

    def make(
        files: Files,
        *,
        gpus_here: tuple[str, ...] = (),
        project: dict[str, Any] | None = None,
        limits: Limits = _FREE,
        **asks: Any,
    ) -> ProjectRun:
        archive = archive_of(people, files)
        given: dict[str, Any] = {"source_kind": SourceKind.ARCHIVE, "source_uri": "", "archive": archive}
        made = make_project(people.ada, f"steps-{next(numbers)}", **given | (project or {}))
        make_run(people.ada, made, limits=limits, **asks)
        run = claim(make_worker(), gpus_here)
        assert run is not None
        return run

    return make


@pytest.fixture
def execute(db: None, queued: Callable[..., ProjectRun]) -> Execute:
    """Run a project of some files to its end."""

    def run(files: Files, *, meanwhile: Callable[[Runner], None] | None = None, **asks: Any) -> Outcome:
        runner = Runner(SYSTEM, queued(files, **asks))
        with MainThread(runner, meanwhile):
            runner.run()
        return outcome_of(runner.run_row)

    return run
