"""What is said of a project when it is made or changed, and whether it may be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.models import Experiment
from apps.projects.asking.variables import check_variables
from apps.projects.models import DEFAULT_QUEUE, Archive, Project, Queue, Secret, SourceKind
from apps.projects.reading.reach import allowed_folder, check_git
from apps.projects.reading.sources import check_reference
from apps.runtime.limits import Limits

_MAX_URI = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project's files are: `uri` of a Git repository or folder, or an archive that the actor may read."""

    kind: SourceKind
    uri: str = ""
    version: str = ""
    subfolder: str = ""
    archive: Archive | None = None

    def to_json(self) -> dict[str, Any]:
        """What an event says of it."""
        said = {"kind": self.kind.value, "uri": self.uri, "version": self.version, "subfolder": self.subfolder}
        if self.archive is not None:
            said["archive"] = self.archive.digest
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What runs of a project begin with unless they say otherwise. `experiment` is one that the actor may edit."""

    experiment: Experiment | None = None
    queue: str = DEFAULT_QUEUE
    env_vars: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    max_running: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What an event says of them; values of variables are left out."""
        return {
            "experiment": self.experiment.name if self.experiment else None,
            "queue": self.queue,
            "env_vars": sorted(self.env_vars),
            "secrets": list(self.secrets),
            "limits": self.limits.to_json(),
            "max_running": self.max_running,
        }


def defaults_of(project: Project) -> Defaults:
    """Those that a project has, which was fetched with its experiment."""
    return Defaults(
        experiment=project.experiment,
        queue=project.queue,
        env_vars=project.env_vars,
        secrets=tuple(project.secrets),
        limits=Limits.from_json(project.limits),
        max_running=project.max_running,
    )


def source_of(project: Project) -> Source:
    """That of a project, which was fetched with its archive."""
    kind = SourceKind(project.source_kind)
    return Source(kind, project.source_uri, project.source_version, project.subfolder, project.archive)


def git_source(address: str, version: str = "", subfolder: str = "") -> Source:
    """From an address as it is typed, perhaps with the folder behind a `#`."""
    uri, _, behind = address.strip().partition("#")
    return Source(SourceKind.GIT, uri, version.strip(), (subfolder or behind).strip().strip("/"))


def check_source(source: Source, team_id: int) -> None:
    """Raise `InvalidInput` for a source that can't be fetched here, or isn't the team's."""
    if len(source.uri) > _MAX_URI:
        raise InvalidInput(f"The address is longer than {_MAX_URI} characters.")
    if source.subfolder:
        ArtifactPath.parse(source.subfolder)
    match source.kind:
        case SourceKind.GIT:
            check_git(source.uri)
            check_reference(source.version)
        case SourceKind.FOLDER:
            allowed_folder(source.uri)
        case SourceKind.ARCHIVE:
            if source.archive is None or source.archive.team_id != team_id:
                raise InvalidInput("Name an archive of the project's team.")


def check_defaults(defaults: Defaults, project: Project) -> None:
    """Raise `InvalidInput` for defaults that no run could begin with."""
    check_variables(defaults.env_vars)
    Limits.from_json(defaults.limits.to_json())
    if defaults.max_running is not None and not 0 < defaults.max_running < 2**31:
        raise InvalidInput("max_running has to be more than 0.")
    if defaults.queue != DEFAULT_QUEUE and not Queue.objects.filter(name=defaults.queue).exists():
        raise InvalidInput(f"There is no queue '{defaults.queue[:63]}'.")
    known = set(
        Secret.objects.filter(team_id=project.team_id, name__in=defaults.secrets).values_list("name", flat=True)
    )
    if missing := [name for name in defaults.secrets if name not in known]:
        raise InvalidInput(f"The team has no secret {missing[0][:100]}.")
