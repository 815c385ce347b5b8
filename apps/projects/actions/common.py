from __future__ import annotations

import time

from apps.audit.actions import Subject
from apps.core.errors import DomainError
from apps.projects.models import Project, ProjectRun


class Fenced(DomainError):
    """Somebody else has the run by now, or it has ended: whoever hears this stops and writes nothing more."""


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def subject_of_run(run: ProjectRun) -> Subject:
    """What an event about a run names; its team has to be at hand."""
    return Subject("project_run", str(run.pk), str(run), run.team_id, run.team.name)


def subject_of_project(project: Project) -> Subject:
    """What an event about a project names; its team has to be at hand."""
    return Subject("project", str(project.pk), project.name, project.team_id, project.team.name)
