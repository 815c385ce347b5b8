"""One run on the caller's own machine: its output is the caller's output, its exit code the caller's."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.core.errors import DomainError, InvalidInput
from apps.projects.mlproject import (
    EntryPoint,
    Given,
    Project,
    command_of,
    entry_point_of,
    read_project,
)
from apps.projects.mlproject.commands import values_of
from apps.projects.reading import sources
from apps.projects.running.containers import CODE, GRACE_SECONDS, Container
from apps.projects.running.tags import git_tags
from apps.projects.running.tracking import Tracking
from apps.runtime.environments import Cache, Needs, needs_of

_ENDED_BY_SIGNAL = 128


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `slipway run` was asked for. `uses_environment` False: the caller's own Python, nothing is built."""

    uri: str
    entry_point: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    experiment: str = ""
    experiment_id: str = ""
    run_name: str = ""
    uses_environment: bool = True
    # For `docker run`, where the project names an image.
    docker_args: Mapping[str, str] = field(default_factory=dict)


def run_here(wanted: Wanted, tracking: Tracking, cache: Cache, say: Callable[[str], None]) -> int:
    """Run an entry point and return its exit code. Raises `DomainError` for what can't begin; then no run was made."""
    with TemporaryDirectory(prefix="slipway-project-", ignore_cleanup_errors=True) as folder:
        fetched = sources.fetch(wanted.uri, Path(folder), version=wanted.version, local=True)
        project = read_project(fetched.folder)
        entry = entry_point_of(project, wanted.entry_point)
        container = _container(project, wanted, say)
        given = _given(wanted, fetched, container)
        command = command_of(entry, given)
        needs = _needs(project, fetched.folder, wanted)
        declared = _declared_variables(project)
        run_id, experiment_id = _start(tracking, wanted, fetched, project, entry, values_of(entry, given))
        say(f"Run {run_id} of {entry.name}: {tracking.uri}/runs/{run_id}/")
        declared |= _ids(tracking, run_id, experiment_id)
        if container is not None:
            return _ended(tracking, run_id, lambda: container.run(command, fetched.folder, declared, tracking, run_id))
        variables = {**os.environ, **declared, "PYTHONUNBUFFERED": "1"}
        return _ended(tracking, run_id, lambda: _in_environment(command, fetched.folder, variables, needs, cache, say))


def _container(project: Project, wanted: Wanted, say: Callable[[str], None]) -> Container | None:
    image = project.environment.docker
    if image is None:
        return None
    container = Container(image, wanted.docker_args, say)
    container.check()
    return container


def _given(wanted: Wanted, fetched: sources.Fetched, container: Container | None) -> Given:
    """A container sees the project's files, and none of the caller's."""
    if container is not None:
        return Given(wanted.params, (fetched.folder,), seen_at=Path(CODE))
    return Given(wanted.params, (Path.cwd(), fetched.folder))


def _has_own_environment(project: Project, wanted: Wanted) -> bool:
    return wanted.uses_environment and project.environment.docker is None


def _needs(project: Project, folder: Path, wanted: Wanted) -> Needs | None:
    if not wanted.uses_environment or project.environment.docker is not None:
        return None
    return needs_of(project.environment, folder)


def _start(
    tracking: Tracking,
    wanted: Wanted,
    fetched: sources.Fetched,
    project: Project,
    entry: EntryPoint,
    values: Mapping[str, str],
) -> tuple[str, str]:
    """The ids of the run and of its experiment. The tags are those that the protocol's own tools write.

    Started inside of a run, it is a child of that.
    """
    named = wanted.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME", "")
    experiment_id = wanted.experiment_id or (
        tracking.experiment_id(named) if named else os.environ.get("MLFLOW_EXPERIMENT_ID", "0")
    )
    user = getpass.getuser()
    tags = {
        "mlflow.user": user,
        "mlflow.source.name": fetched.uri,
        "mlflow.source.type": "PROJECT",
        "mlflow.project.entryPoint": entry.name,
        "mlflow.project.backend": "local",
        **({"mlflow.project.env": "uv"} if _has_own_environment(project, wanted) else {}),
        **git_tags(fetched.git),
        **({"mlflow.parentRunId": parent} if (parent := os.environ.get("MLFLOW_RUN_ID")) else {}),
    }
    run_id = tracking.start_run(experiment_id, wanted.run_name, user, tags)
    if values:
        tracking.log_params(run_id, values)
    return run_id, experiment_id


def _declared_variables(project: Project) -> dict[str, str]:
    """What the project sets. Raises `InvalidInput` where it takes from the caller what is not there."""
    missing = [name for name, value in project.env_vars.items() if value is None and name not in os.environ]
    if missing:
        raise InvalidInput(f"The project takes these variables from you, and they are not set: {', '.join(missing)}.")
    return {name: value for name, value in project.env_vars.items() if value is not None}


def _ids(tracking: Tracking, run_id: str, experiment_id: str) -> dict[str, str]:
    """Which run the child is."""
    return {"MLFLOW_RUN_ID": run_id, "MLFLOW_EXPERIMENT_ID": experiment_id, "MLFLOW_TRACKING_URI": tracking.uri}


def _in_environment(
    command: str, folder: Path, variables: dict[str, str], needs: Needs | None, cache: Cache, say: Callable[[str], None]
) -> int:
    if needs is None:
        return _run(command, folder, variables)
    with cache.held(needs, say) as ready:
        own = {name: value for name, value in variables.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
        return _run(command, folder, own | ready.variables(variables.get("PATH", os.defpath)))


def _run(command: str, folder: Path, variables: dict[str, str]) -> int:
    """The exit code. Ctrl-C and SIGTERM end the child and all it started; then `KeyboardInterrupt` is raised."""
    heard: list[int] = []
    # Before the child is there, so that it is never without somebody who ends it.
    previous = {
        number: signal.signal(number, lambda n, _: heard.append(n)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=variables, start_new_session=True)
        while not heard:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=0.2)
        _end_group(process)
        raise KeyboardInterrupt(heard[0])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """TERM, a while, KILL, to the whole group; the group may outlive its first process."""
    deadline = time.monotonic() + GRACE_SECONDS
    _signal(process.pid, signal.SIGTERM)
    while _signal(process.pid, 0) and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.05)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: int) -> bool:
    """Whether there still was somebody to hear it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _ended(tracking: Tracking, run_id: str, work: Callable[[], int]) -> int:
    """Do the work, and say how it ended, however it did."""
    status = "FAILED"
    try:
        code = work()
        status = "FINISHED" if code == 0 else "KILLED" if code < 0 else "FAILED"
        return code if code >= 0 else _ENDED_BY_SIGNAL - code
    except KeyboardInterrupt:
        status = "KILLED"
        return _ENDED_BY_SIGNAL + signal.SIGINT
    finally:
        try:
            tracking.end_run(run_id, status)
        except DomainError as error:
            # The exit code is what the caller waits for; the run stays open on the server.
            print(f"slipway: {error.message}", flush=True)  # noqa: T201
