"""A run's page: tabs with addresses of their own, and the panels that live pages fetch again."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from apps.audit.selectors import activity_of
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments import access
from apps.experiments.models import ModelLink, Run
from apps.experiments.selectors import runs

PANELS = ("params", "metrics", "tags", "facts")


@signed_in
@methods("GET")
def run_overview(request: ActorRequest, run_id: str) -> HttpResponse:
    """The run at a glance; with `?panel=` (htmx) one panel of it."""
    page = runs.run_page(request.actor, access.get_run(request.actor, run_id))
    if is_fragment(request) and "panel" in request.GET:
        return render(request, f"experiments/_run_{_panel(request)}.html", _context(page, "overview"))
    return render(request, "experiments/run_detail.html", _context(page, "overview"))


@signed_in
@methods("GET")
def run_metrics(request: ActorRequest, run_id: str) -> HttpResponse:
    """Charts of all metrics, by group."""
    page = runs.run_page(request.actor, access.get_run(request.actor, run_id))
    return render(request, "experiments/run_metrics.html", _context(page, "metrics"))


@signed_in
@methods("GET")
def run_datasets(request: ActorRequest, run_id: str) -> HttpResponse:
    """The data that the run used: where it came from, its columns, its profile."""
    page = runs.run_page(request.actor, access.get_run(request.actor, run_id))
    datasets = [
        {
            "dataset": used.dataset,
            "context": used.context,
            "tags": used.tags,
            "columns": runs.dataset_columns(used.dataset.schema),
            "profile": runs.dataset_profile(used.dataset.profile),
        }
        for used in page.dataset_inputs
    ]
    return render(request, "experiments/run_datasets.html", _context(page, "datasets") | {"datasets": datasets})


@signed_in
@methods("GET")
def run_activity(request: ActorRequest, run_id: str) -> HttpResponse:
    """Who did what to the run; what scripts log is data and not told here."""
    run = access.get_run(request.actor, run_id)
    page = runs.run_page(request.actor, run)
    events = activity_of(request.actor, "run", run.run_id)
    return render(request, "experiments/run_activity.html", _context(page, "activity") | {"events": events})


def page_context(actor: Actor, run: Run, tab: str) -> dict[str, Any]:
    """What every tab of a run's page shows around its own part."""
    return _context(runs.run_page(actor, run), tab)


def _panel(request: ActorRequest) -> str:
    panel = request.GET["panel"]
    if panel not in PANELS:
        raise NotFound("Not found.")
    return panel


def _context(page: runs.RunPage, tab: str) -> dict[str, Any]:
    inputs = [link.model for link in page.links if link.direction == ModelLink.Direction.INPUT]
    outputs = [link.model for link in page.links if link.direction == ModelLink.Direction.OUTPUT]
    return {"page": page, "run": page.run, "tab": tab, "model_inputs": inputs, "model_outputs": outputs}
