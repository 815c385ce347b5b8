"""The list of projects, and a project's page: what it is, its runs, what happened to it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRefresh

from apps.audit.selectors import activity_of
from apps.core.actor import Level
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.projects import access, actions, addresses
from apps.projects.models import Project, ProjectRun
from apps.projects.reading.documents import canonical_text, cli_text
from apps.projects.selectors import projects, runs
from apps.projects.web.common import PAGE_SIZE, project_frame, searched

_RECENT = 8


@signed_in
@methods("GET")
def project_list(request: ActorRequest) -> HttpResponse:
    """The projects of the team and those granted: search, sort, pages."""
    text, sort = searched(request), request.GET.get("sort", "-last")
    found = projects.projects_matching(request.actor, text=text, sort=sort)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": projects.rows_of(page.object_list), "q": text, "sort": sort}
    template = "_project_table" if is_fragment(request) else "project_list"
    return render(request, f"projects/{template}.html", context)


@signed_in
@methods("GET")
def project_detail(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """What a project is, and its newest runs. With `?panel=` (htmx) one part of it: `reading`, `runs`."""
    project = access.get_project(request.actor, team, name)
    context = project_frame(request.actor, project, "overview")
    panel = request.GET.get("panel") if is_fragment(request) else None
    if panel == "reading":
        is_read = project.read_ms is not None
        return HttpResponseClientRefresh() if is_read else render(request, "projects/_project_reading.html", context)
    context["runs"] = _recent(request, project)
    if panel == "runs":
        return render(request, "projects/_project_runs.html", context)
    if project.document:
        context |= {"canonical": canonical_text(project.document), "cli_code": cli_text(project.document, project.name)}
    return render(request, "projects/project_detail.html", context)


@signed_in
@methods("GET")
def project_runs(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """All runs of a project."""
    project = access.get_project(request.actor, team, name)
    found = runs.runs_of(request.actor, project)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    context = project_frame(request.actor, project, "runs") | {"page": page, "runs": rows}
    context |= {"places": runs.places_in(rows), "with_project": False}
    template = "_run_table" if is_fragment(request) else "project_runs"
    return render(request, f"projects/{template}.html", context)


@signed_in
@methods("GET")
def project_activity(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Who did what to the project."""
    project = access.get_project(request.actor, team, name)
    context = project_frame(request.actor, project, "activity")
    context["events"] = activity_of(request.actor, "project", project.pk)
    return render(request, "projects/project_activity.html", context)


@signed_in
@methods("POST")
def project_read(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Let the source be read again."""
    project = access.get_project(request.actor, team, name, Level.EDIT)
    actions.ask_reading(request.actor, project=project)
    return redirect(addresses.project_url(project))


@signed_in
@methods("GET")
def project_by_id(request: ActorRequest, project_id: int) -> HttpResponse:
    """Lead to the page of a project, for links of the audit log, which know its key."""
    return redirect(addresses.project_url(access.get_project_by_key(request.actor, project_id)))


def _recent(request: ActorRequest, project: Project) -> list[ProjectRun]:
    return list(runs.runs_of(request.actor, project)[:_RECENT])
