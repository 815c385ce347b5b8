"""What a kind of run comes down to: a command in a folder, in an environment, with variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.projects.models import JobKind, ProjectRun
from apps.runtime.environments import Needs
from apps.runtime.environments.kinds import DockerEnvironment
from apps.runtime.tools import Tools


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a planner has: the run, `work`, an empty folder that becomes the command's own, and tools.

    `say` writes a line into the run's log; `seen` tells where the command sees a file below `work`.
    """

    run: ProjectRun
    work: Path
    tools: Tools
    say: Callable[[str], None]
    seen: Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class Plan:
    """A shell command that begins in `folder`, which lies below the preparation's `work`.

    `needs` is the Python environment; with `docker` the command runs in that image and `needs` is of no use. `finished`
    is called with that folder when the command has ended well, in the worker: it reads what was left there as hostile
    data, and raises `DomainError` where the run has failed after all. What it returns is the run's message.
    """

    command: str
    folder: Path
    needs: Needs
    variables: Mapping[str, str] = field(default_factory=dict)
    docker: DockerEnvironment | None = None
    commit: str = ""
    # For the tracking run.
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    finished: Callable[[Path], str] | None = None


Planner = Callable[[Preparation], Plan]


def plan_for(preparation: Preparation) -> Plan:
    """What the run comes down to. Raises `DomainError` with a sentence for its owner where nothing can be begun."""
    planner = _planners().get(JobKind(preparation.run.kind))
    if planner is None:
        raise InvalidInput(f"This worker can't do runs of the kind '{preparation.run.kind}'.")
    return planner(preparation)


def _planners() -> Mapping[JobKind, Planner]:
    from apps.projects.builds.planning import plan_of_build
    from apps.projects.execution.preparing import plan_of_project

    return {JobKind.PROJECT: plan_of_project, JobKind.BUILD: plan_of_build}
