"""The backend `slipway` of the mlflow client: `mlflow run . -b slipway`, `mlflow.projects.run(…, backend="slipway")`.

The client loads this by its entry point, where somebody names the backend. It is imported when it is called, since
Slipway itself does without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from apps.core.errors import Conflict, DomainError
from apps.projects.running.config import fields_of
from apps.projects.running.following import Follower, asks_to_cancel, exit_code_of, follow_to_end, left_words, told
from apps.projects.running.queued import Queued, send
from apps.projects.running.server import Server

if TYPE_CHECKING:
    from mlflow.projects import SubmittedRun

_USUAL = "main"
_LEFT = 130
# What the client adds to what somebody wrote.
_OF_THE_CLIENT = ("ENV_MANAGER", "SYNCHRONOUS", "DOCKER_ARGS", "STORAGE_DIR", "build_image", "docker_auth")
_STATUS = {
    "queued": "SCHEDULED",
    "preparing": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "cancelled": "KILLED",
}


class Backend:
    """What the client asks for by the name `slipway`."""

    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, Any] | None,
        version: str | None,
        backend_config: Mapping[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> SubmittedRun:
        """Queue the run. From `mlflow run`, which waits for no backend but its own, return when it has ended."""
        try:
            server = Server(tracking_uri, os.environ, _say)
            wanted = _wanted(project_uri, entry_point, params, version, backend_config, experiment_id)
            asked = send(wanted, server, _environment(), _say)
        except DomainError as error:
            raise _failure(error.message) from error
        _say(f"Run {asked['id']} waits in the queue {asked['queue']}: {server.uri}/project-runs/{asked['id']}/")
        run = _run_class()(server, asked)
        if _is_command_line():
            run.attend()
        return cast("SubmittedRun", run)


class QueuedRun:
    """A run on a server's queue. `wait` writes its log to standard output."""

    def __init__(self, server: Server, asked: Mapping[str, Any]) -> None:
        self._server, self._key, self._run_id = server, str(asked["id"]), str(asked["run_id"])
        self._follower = Follower(server, self._key, cast("BinaryIO", _StandardOutput()), _say)
        self._ended: dict[str, Any] | None = None

    @property
    def run_id(self) -> str:
        """Of its run of the tracking protocol."""
        return self._run_id

    def wait(self) -> bool:
        """Until it has ended; whether it finished well."""
        if self._ended is None:
            self._ended = self._follower.follow()
            _say(told(self._ended))
        return bool(self._ended["state"] == "finished")

    def get_status(self) -> Any:
        """One of the client's `RunStatus`."""
        from mlflow.entities import RunStatus

        return RunStatus.from_string(_STATUS.get(self._server.run(self._key)["state"], "FAILED"))

    def cancel(self) -> None:
        """End it, and wait until it has ended."""
        self._ask_to_end()
        self.wait()

    def attend(self) -> None:
        """As `slipway run` does: Ctrl-C asks whether to cancel. Raises where it did not finish well."""
        self._ended = follow_to_end(self._follower, lambda: asks_to_cancel(self._key), self._ask_to_end)
        if self._ended is None:
            _say(left_words(self._key))
            sys.exit(_LEFT)
        _say(told(self._ended))
        if exit_code_of(self._ended):
            raise _failure(f"Run (ID '{self._run_id}') failed")

    def _ask_to_end(self) -> None:
        try:
            self._server.cancel(self._key, "Cancelled by the mlflow client.")
        except Conflict:  # it ended meanwhile
            return


@cache
def _run_class() -> Any:
    """`QueuedRun` as one of the client's own kind."""
    from mlflow.projects import SubmittedRun

    return type("QueuedRun", (QueuedRun, SubmittedRun), {"__doc__": QueuedRun.__doc__})


def _failure(message: str) -> Exception:
    """What the client takes for a run that failed, and its command line leaves with 1 for."""
    from mlflow.exceptions import ExecutionException

    return cast("Exception", ExecutionException(message))


class _StandardOutput:
    """Standard output as it is now, which in a notebook takes no bytes."""

    def write(self, data: bytes) -> int:
        return sys.stdout.write(data.decode(errors="replace"))

    def flush(self) -> None:
        sys.stdout.flush()


def _wanted(
    uri: str,
    entry_point: str,
    params: Mapping[str, Any] | None,
    version: str | None,
    config: Mapping[str, Any],
    experiment_id: str,
) -> Queued:
    own = {name: value for name, value in config.items() if name not in _OF_THE_CLIENT}
    more = fields_of(own)
    if docker_args := config.get("DOCKER_ARGS"):
        more["docker_args"] = {name: str(value) for name, value in docker_args.items()}
    return Queued(
        uri=uri,
        # The client says so also where nobody named one.
        entry_point="" if entry_point == _USUAL else entry_point,
        params={name: str(value) for name, value in (params or {}).items()},
        version=version or "",
        experiment_id=str(experiment_id),
        project=str(own.get("project", "")),
        more=more,
    )


def _environment() -> dict[str, str]:
    """The caller's, with the run that is active: it will be the parent."""
    import mlflow

    active = mlflow.active_run()
    return {**os.environ, **({"MLFLOW_RUN_ID": active.info.run_id} if active else {})}


def _is_command_line() -> bool:
    """Whether the client's own `mlflow run` calls."""
    import click

    context = click.get_current_context(silent=True)
    return context is not None and context.command.name == "run"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
