"""All runs, which is the queue; and a run's page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from apps.audit.selectors import activity_of
from apps.core.actor import Level
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.projects import access
from apps.projects.models import ProjectRun, RunState
from apps.projects.selectors import details, runs
from apps.projects.selectors.runs import STATES, Wanted
from apps.projects.web.common import PAGE_SIZE, searched
from apps.projects.web.forms import queue_choices

_ON_HOME = 6


@signed_in
@methods("GET")
def run_list(request: ActorRequest) -> HttpResponse:
    """The runs of the team and of projects that were granted; narrowed by state, project, queue and whose."""
    wanted = _wanted(request)
    found = runs.runs_matching(request.actor, wanted)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    context = {"page": page, "runs": rows, "places": runs.places_in(rows), "wanted": wanted, "with_project": True}
    context["is_some_active"] = any(run.is_active for run in rows)
    if is_fragment(request):
        return render(request, "projects/_run_table.html", context)
    context |= {"queues": queue_choices(), "states": list(RunState)}
    return render(request, "projects/run_list.html", context)


@signed_in
@methods("GET")
def run_detail(request: ActorRequest, run_id: int) -> HttpResponse:
    """A run: how far it is, its log, its metrics. With `?panel=` (htmx) one part: `state`, `facts`, `metrics`."""
    run = access.get_project_run(request.actor, run_id)
    context = _frame(request, run)
    panel = request.GET.get("panel", "") if is_fragment(request) else ""
    if panel == "state":
        context["changed"] = request.GET.get("seen") != run.state + ("-cancelling" if run.cancel_ms else "")
        answer = render(request, "projects/_run_state.html", context | details.progress_of(run))
        if context["changed"] and not run.is_active:
            answer["HX-Trigger"] = "slipway:ended"
        return answer
    if panel == "metrics":
        return render(request, "projects/_run_metrics.html", context | details.metrics_of(context["tracking"]))
    context |= details.progress_of(run) | details.metrics_of(context["tracking"]) | details.about(request.actor, run)
    return render(request, "projects/run_detail.html", context)


@signed_in
@methods("GET")
def run_activity(request: ActorRequest, run_id: int) -> HttpResponse:
    """Who did what to the run, and what its workers did."""
    run = access.get_project_run(request.actor, run_id)
    context = _frame(request, run) | {"tab": "activity"}
    context["events"] = activity_of(request.actor, "project_run", run.pk)
    return render(request, "projects/run_activity.html", context)


@signed_in
@methods("GET")
def active_runs(request: ActorRequest) -> HttpResponse:
    """What waits and goes on, for the page that begins."""
    rows = runs.active_runs(request.actor, _ON_HOME)
    context = {"runs": rows, "places": runs.places_in(rows), "with_project": True}
    return render(request, "projects/_active_runs.html", context)


@signed_in
@methods("GET")
def of_tracking_run(request: ActorRequest) -> HttpResponse:
    """For the page of a tracking run, `?run=`: which project run it belongs to; nothing where it belongs to none."""
    run_id = request.GET.get("run", "").replace("\x00", "")
    found = ProjectRun.objects.visible_to(request.actor).filter(run__run_id=run_id).select_related("team", "worker")
    return render(request, "projects/_of_tracking_run.html", {"project_run": found.first()})


def _frame(request: ActorRequest, run: ProjectRun) -> dict[str, Any]:
    level = access.level_of_run(request.actor, run)
    may_start = run.project is not None and access.level_of_project(request.actor, run.project) >= Level.EDIT
    return {
        "project_run": run,
        "tracking": details.tracking_of(request.actor, run),
        "may_cancel": level >= Level.EDIT and run.is_active,
        "may_start": may_start,
    }


def _wanted(request: ActorRequest) -> Wanted:
    state = request.GET.get("state", "")
    return Wanted(
        state=state if state in STATES else "",
        queue=searched(request, "queue"),
        text=searched(request),
        mine=request.GET.get("mine") == "1",
    )
