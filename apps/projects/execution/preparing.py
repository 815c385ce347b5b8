"""From a project run to its plan: fetch the source, read the MLproject, make the command."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.core.files.storage import storages

from apps.core.errors import InvalidInput
from apps.projects.asking.variables import is_ours
from apps.projects.execution.fetching import Downloads
from apps.projects.execution.plans import Plan, Preparation
from apps.projects.mlproject import EntryPoint, Given, Project, command_of, entry_point_of, read_project
from apps.projects.mlproject.commands import values_of
from apps.projects.models import ProjectRun, SourceKind
from apps.projects.reading import sources
from apps.projects.reading.archives import Limits as ArchiveLimits
from apps.projects.reading.archives import unpack
from apps.projects.reading.reach import allowed_folder, reachable
from apps.runtime.environments import Needs, needs_of

_LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".venv", "venv", "mlruns")


def plan_of_project(preparation: Preparation) -> Plan:
    """What an entry point comes down to. Raises `DomainError` that names file and line where it can."""
    run = preparation.run
    fetched = _fetched(preparation)
    project = read_project(fetched.folder)
    entry = entry_point_of(project, run.entry_point)
    downloads = Downloads(preparation.work / "inputs", preparation.seen)
    image = project.environment.docker
    command = command_of(entry, _given(preparation, fetched.folder, downloads, in_image=image is not None))
    return Plan(
        command=downloads.before(command),
        folder=fetched.folder,
        needs=Needs() if image else needs_of(project.environment, fetched.folder),
        variables=_declared(project, run),
        docker=image,
        commit=fetched.git.commit,
        tags=_tags(fetched, entry, project),
        params=values_of(entry, Given(run.params)),
    )


def _given(preparation: Preparation, folder: Path, downloads: Downloads, *, in_image: bool) -> Given:
    if in_image:
        from apps.runtime.docker import CODE

        return Given(preparation.run.params, (folder,), seen_at=Path(CODE))
    return Given(preparation.run.params, (folder,), downloads.fetch, preparation.seen(folder))


def _fetched(preparation: Preparation) -> sources.Fetched:
    run, into = preparation.run, preparation.work / "project"
    into.mkdir()
    match run.source_kind:
        case SourceKind.ARCHIVE:
            return sources.Fetched(sources.below(_unpacked(run, into), run.subfolder), run.project_name)
        case SourceKind.FOLDER:
            return _copied(run, into)
        case _:
            uri = run.source_uri + (f"#{run.subfolder}" if run.subfolder else "")
            tools = preparation.tools
            return sources.fetch(uri, into, version=run.source_version, reach=reachable, git=tools.git)


def _unpacked(run: ProjectRun, into: Path) -> Path:
    if run.archive is None:
        raise InvalidInput("The project has no archive.")
    limits = ArchiveLimits(settings.PROJECT_ARCHIVE_FILES, settings.PROJECT_UNPACKED_BYTES)
    with storages["artifacts"].open(run.archive.path) as file:
        unpack(cast("IO[bytes]", file.file), into, limits)
    return sources.only_folder(into)


def _copied(run: ProjectRun, into: Path) -> sources.Fetched:
    """A folder of this server: what runs has a copy of its own, and links lead nowhere but where they led."""
    source = sources.below(allowed_folder(run.source_uri), run.subfolder)
    try:
        shutil.copytree(source, into, symlinks=True, ignore=_LEFT_OUT, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise InvalidInput("The folder can't be copied: it holds files that this server may not read.") from error
    return sources.Fetched(into, run.source_uri, sources.state_of(source))


def _declared(project: Project, run: ProjectRun) -> dict[str, str]:
    """What the project itself sets; what it takes from the caller is of the run's own variables and secrets."""
    given = {*run.env_vars, *run.secrets}
    missing = [name for name, value in project.env_vars.items() if value is None and name not in given]
    if missing:
        raise InvalidInput(
            f"The project takes these variables from you, and neither variables nor secrets name them: "
            f"{', '.join(missing)}."
        )
    return {name: value for name, value in project.env_vars.items() if value is not None and not is_ours(name)}


def _tags(fetched: sources.Fetched, entry: EntryPoint, project: Project) -> Mapping[str, str]:
    """As the protocol's own tools write them."""
    git = fetched.git
    found = {
        "mlflow.project.entryPoint": entry.name,
        "mlflow.source.git.commit": git.commit,
        "mlflow.source.git.repoURL": git.repo_url,
        "mlflow.source.git.branch": git.branch,
        "mlflow.source.git.dirty": "true" if git.is_dirty else "",
        "mlflow.project.env": "docker" if project.environment.docker else "uv",
    }
    return {name: value for name, value in found.items() if value}
