from __future__ import annotations

import time
from typing import Any

from django.db.models import BigIntegerField, Func

from apps.audit.actions import Subject
from apps.core.errors import DomainError
from apps.projects.models import Project, ProjectRun


class Fenced(DomainError):
    """Somebody else has the run by now, or it has ended: whoever hears this stops and writes nothing more."""


def now_ms() -> int:
    """Milliseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1_000_000


class DatabaseMs(Func):
    """Milliseconds since the epoch, by the database's clock: leases are compared by machines whose clocks differ.

    An SQLite file is this machine's alone. On PostgreSQL it is when the statement came in, so indexes are used.
    """

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[int]]:
        """This machine's clock."""
        return "%s", (now_ms(),)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[()]]:
        """The server's clock."""
        return "(extract(epoch from statement_timestamp()) * 1000)::bigint", ()


def subject_of_run(run: ProjectRun) -> Subject:
    """What an event about a run names; its team has to be at hand."""
    return Subject("project_run", str(run.pk), str(run), run.team_id, run.team.name)


def subject_of_project(project: Project) -> Subject:
    """What an event about a project names; its team has to be at hand."""
    return Subject("project", str(project.pk), project.name, project.team_id, project.team.name)
