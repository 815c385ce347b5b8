"""What the list of projects and a project's page show, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery

from apps.core.actor import Actor
from apps.projects.models import Project, ProjectRun, RunState

SORTS = {"name": "name", "updated": "updated_ms", "last": "last_run", "owner": "owner__username"}


@dataclass
class ProjectRow:
    """A project as lists show it: its newest run, and how many wait and go on."""

    project: Project
    last: ProjectRun | None = None
    queued: int = 0
    running: int = 0


def projects_matching(actor: Actor, *, text: str = "", sort: str = "-last") -> QuerySet[Project]:
    """Projects of the actor's lists whose name contains `text`; `sort` is a key of SORTS, perhaps after a `-`."""
    found = Project.objects.listed_for(actor).select_related("team", "owner", "archive").defer("document")
    if text:
        found = found.filter(name__icontains=text)
    runs = ProjectRun.objects.filter(project=OuterRef("pk")).order_by()
    newest = runs.values("project").annotate(newest=Max("pk")).values("newest")
    found = found.annotate(last_run=Subquery(newest))
    column = F(SORTS.get(sort.removeprefix("-"), "last_run"))
    ordered = column.asc(nulls_last=True) if sort in SORTS else column.desc(nulls_last=True)
    return found.order_by(ordered, "-updated_ms", "-pk")


def rows_of(projects: Iterable[Project]) -> list[ProjectRow]:
    """The projects of `projects_matching` with what their rows show: two statements, however many there are."""
    rows = {project.pk: ProjectRow(project) for project in projects}
    keys = [key for row in rows.values() if (key := getattr(row.project, "last_run", None)) is not None]
    for run in ProjectRun.objects.filter(pk__in=keys):
        rows[run.project_id or 0].last = run
    active = ProjectRun.objects.active().filter(project_id__in=list(rows)).order_by()
    for project_id, state, count in active.values_list("project_id", "state").annotate(count=Count("pk")):
        row = rows[project_id or 0]
        if state == RunState.QUEUED:
            row.queued += count
        else:
            row.running += count
    return list(rows.values())
