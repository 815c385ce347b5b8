"""Sending a project from here to a server's queue: checked, packed, uploaded, started."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apps.core.errors import InvalidInput
from apps.core.formatting import file_size
from apps.projects.mlproject import (
    EntryPoint,
    Given,
    Parameter,
    ParameterType,
    Project,
    command_of,
    entry_point_of,
    read_project,
)
from apps.projects.reading import sources
from apps.projects.reading.archives import pack
from apps.projects.running.server import Say, Server
from apps.projects.running.tags import git_tags

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Queued:
    """What somebody asks of a server's queue. `more` are fields of a run as the API has them: queue, priority …"""

    uri: str
    entry_point: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    experiment: str = ""
    experiment_id: str = ""
    run_name: str = ""
    project: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def send(wanted: Queued, server: Server, env: Mapping[str, str], say: Say) -> dict[str, Any]:
    """Queue a run of the project at `uri`; the run, as the API shows it. Raises `DomainError` where it can't begin."""
    with TemporaryDirectory(prefix="slipway-send-", ignore_cleanup_errors=True) as name:
        into = Path(name, "project")
        into.mkdir()
        fetched = sources.fetch(wanted.uri, into, version=wanted.version, local=True)
        project = read_project(fetched.folder)
        entry = entry_point_of(project, wanted.entry_point)
        params = {key: _sent(value, entry, key, fetched.folder) for key, value in wanted.params.items()}
        command_of(_without_remote(entry, params), Given(params, (fetched.folder,)))
        file = Path(name, "project.zip")
        count = pack(fetched.folder, file)
        say(f"Sending {count} files, {file_size(file.stat().st_size)}, to {server.uri}.")
        archive = server.send_archive(file, wanted.project or fetched.folder.name)
    asked = _asked(wanted, entry, params, project, env) | {"archive": archive, "tags": git_tags(fetched.git)}
    return server.start(asked, uuid.uuid4().hex)


def _asked(
    wanted: Queued, entry: EntryPoint, params: Mapping[str, str], project: Project, env: Mapping[str, str]
) -> dict[str, Any]:
    """The body of the call: what is empty is left out, so that the project's own settings hold."""
    experiment_id = wanted.experiment_id or ("" if wanted.experiment else env.get("MLFLOW_EXPERIMENT_ID", ""))
    experiment = wanted.experiment or ("" if experiment_id else env.get("MLFLOW_EXPERIMENT_NAME", ""))
    taken = {name: env[name] for name, value in project.env_vars.items() if value is None and name in env}
    asked = {
        "entry_point": entry.name,
        "params": dict(params),
        "experiment_id": experiment_id,
        "experiment_name": experiment,
        "run_name": wanted.run_name,
        "project_name": wanted.project or project.name,
        "parent_run_id": env.get("MLFLOW_RUN_ID", ""),
        **wanted.more,
    }
    variables = taken | dict(wanted.more.get("env_vars", {}))
    asked |= {"env_vars": variables} if variables else {}
    return {name: value for name, value in asked.items() if value not in ("", None, {})}


def _without_remote(entry: EntryPoint, params: Mapping[str, str]) -> EntryPoint:
    """Paths that are addresses are the worker's to fetch."""

    def seen(one: Parameter) -> Parameter:
        is_remote = _REMOTE.match(params.get(one.name, one.default or ""))
        return replace(one, type=ParameterType.STRING) if is_remote else one

    return replace(entry, parameters={name: seen(one) for name, one in entry.parameters.items()})


def _sent(value: str, entry: EntryPoint, name: str, folder: Path) -> str:
    """A value as it is right on a worker: a file of the project, by its path there.

    Raises `InvalidInput` for a file of this machine that lies outside of the project.
    """
    declared = entry.parameters.get(name)
    is_path = declared is not None and declared.type is ParameterType.PATH
    if (declared is not None and not is_path) or _REMOTE.match(value):
        return value
    if not is_path and (Path(value).is_absolute() or not re.search(r"[./]", value)):
        return value
    place = Path(os.path.normpath(Path.cwd() / value))
    if not _is_there(place):
        return value
    if place.is_relative_to(folder):
        return str(place.relative_to(folder))
    if place.resolve().is_relative_to(folder.resolve()):
        return str(place.resolve().relative_to(folder.resolve()))
    raise InvalidInput(
        f"The parameter {name} names {place}, which lies outside of the project, where no worker sees it: "
        "put it into the project, or name an address."
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False
