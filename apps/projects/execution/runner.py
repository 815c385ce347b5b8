"""One attempt of a run on this machine, from its claim to its end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, cast

from django.conf import settings
from django.core.files.storage import storages

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.projects import actions, sources
from apps.projects.actions import Ending, Fenced, cancelled_words
from apps.projects.archives import unpack
from apps.projects.environments import Cache, needs_of
from apps.projects.execution.insisting import insist
from apps.projects.mlproject import Given, command_of, entry_point_of, read_project
from apps.projects.models import ProjectRun, RunState, SourceKind

logger = logging.getLogger(__name__)

GRACE_SECONDS = 8.0


class Runner:
    """Prepares, starts and follows the child of one attempt. `cancel` and `kill` come from other threads."""

    def __init__(self, actor: Actor, run: ProjectRun) -> None:
        self.actor, self.run_row = actor, run
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = threading.Event()
        self._lost = ""

    def run(self) -> None:
        """Until the attempt has ended and is written down as ended. Raises `Fenced` where it isn't ours any more."""
        ending = self._ending()
        if self._lost:
            raise Fenced(f"{self.run_row}: {self._lost}")
        # The database may be away just now: what is done must not be done again for it.
        insist(lambda: actions.end_attempt(self.actor, run=self.run_row, ending=ending), str(self.run_row))

    def cancel(self) -> None:
        """End it as somebody asked."""
        self._cancelled.set()
        self._signal(signal.SIGTERM)

    def kill(self, why: str) -> None:
        """End it at once, and write nothing."""
        self._lost = why
        self._signal(signal.SIGKILL)

    def _ending(self) -> Ending:
        try:
            with self._folder() as folder:
                return self._executed(folder)
        except Fenced:
            raise
        except DomainError as error:
            return Ending(RunState.FAILED, error.message)
        except Exception:
            logger.exception("%s failed in the worker", self.run_row)
            return Ending(RunState.LOST, "The worker failed; its log says why.")

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        root = settings.DATA.runs
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix=f"{self.run_row.pk}-", dir=root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _executed(self, folder: Path) -> Ending:
        run = self.run_row
        fetched = self._fetched(folder)
        project = read_project(fetched.folder)
        entry = entry_point_of(project, run.entry_point)
        command = command_of(entry, Given(run.params, (fetched.folder,)))
        needs = needs_of(project.environment, fetched.folder)
        with Cache(settings.DATA.environments).held(needs, logger.info) as ready:
            actions.start_run(self.actor, run=run, commit=fetched.git.commit, environment=needs.key)
            code = self._child(command, fetched.folder, self._variables() | ready.variables(os.defpath))
        if self._cancelled.is_set():
            run.refresh_from_db(fields=["cancelled_by", "cancel_reason"])
            return Ending(RunState.CANCELLED, cancelled_words(run), code)
        if code:
            return Ending(RunState.FAILED, f"The command ended with {code}.", code)
        return Ending(RunState.FINISHED, "", 0)

    def _fetched(self, folder: Path) -> sources.Fetched:
        run, into = self.run_row, folder / "project"
        into.mkdir()
        if run.source_kind == SourceKind.ARCHIVE and run.archive is not None:
            with storages["artifacts"].open(run.archive.path) as file:
                unpack(cast("IO[bytes]", file.file), into)
            return sources.Fetched(into, run.project_name)
        uri = run.source_uri + (f"#{run.subfolder}" if run.subfolder else "")
        return sources.fetch(uri, into, version=run.source_version)

    def _variables(self) -> dict[str, str]:
        run = self.run_row
        ids = {"MLFLOW_TRACKING_URI": settings.TRACKING_URL, "PYTHONUNBUFFERED": "1"}
        if run.run is not None:
            ids |= {"MLFLOW_RUN_ID": run.run.run_id, "MLFLOW_EXPERIMENT_ID": str(run.run.experiment_id)}
        return {**run.env_vars, **ids}

    def _child(self, command: str, folder: Path, variables: dict[str, str]) -> int:
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            logger.warning("%s: %s", self.run_row, line.decode(errors="replace").rstrip())
        return self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
