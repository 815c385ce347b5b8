"""Starting a run in the browser, anew or as another one was, with changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core.actor import Level
from apps.core.errors import Conflict, NotFound
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, methods
from apps.core.rules import signed_in
from apps.experiments import access as experiments
from apps.experiments.actions import create_experiment
from apps.experiments.models import Experiment
from apps.projects import access, actions, addresses
from apps.projects.actions.unattended import experiment_for
from apps.projects.models import Project, ProjectRun
from apps.projects.web.common import project_frame, refusals_in
from apps.projects.web.start_forms import Beginning, StartForm


@signed_in
@methods("GET", "POST")
def start(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """The form that starts a run; `?entry_point=` chooses one, `?again=` begins as another run was asked for.

    htmx asks with what is filled in, and gets the fields of the entry point and its command.
    """
    project = access.get_project(request.actor, team, name, Level.EDIT)
    begin = Beginning(project, _again(request, project), request.GET.get("entry_point", "").replace("\x00", ""))
    if request.method == "POST":
        form = StartForm(request.POST, actor=request.actor, begin=begin)
        if form.is_valid():
            with refusals_in(form):
                return redirect(addresses.run_url(_submit(request, form)))
        return _page(request, form, status=REFUSED)
    return _page(request, StartForm(actor=request.actor, begin=begin))


@signed_in
@methods("POST")
def preview(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """The fields of the entry point that is chosen, or with `?only=command` the command with the values so far."""
    project = access.get_project(request.actor, team, name, Level.EDIT)
    begin = Beginning(project, _again(request, project))
    if request.GET.get("only") == "command":
        form = StartForm(request.POST, actor=request.actor, begin=begin)
        return render(request, "projects/_command.html", {"form": form})
    chosen = _only_entry_point(request)
    form = StartForm(actor=request.actor, begin=Beginning(project, begin.again, chosen))
    return render(request, "projects/_start_fields.html", {"form": form, "swapped": True})


@signed_in
@methods("GET")
def again(request: ActorRequest, run_id: int) -> HttpResponse:
    """Lead to the form that starts a run's project, filled in as that run was."""
    run = access.get_project_run(request.actor, run_id)
    if run.project is None:
        raise Conflict("Its project is gone, so it can't be run again.")
    project = access.get_project_by_key(request.actor, run.project.pk, Level.EDIT)
    address = reverse("projects:start", args=(project.team.name, project.name))
    return redirect(f"{address}?again={run.pk}")


def _again(request: ActorRequest, project: Project) -> ProjectRun | None:
    key = request.GET.get("again", "")
    if not key:
        return None
    run = access.get_project_run(request.actor, key)
    if run.project_id != project.pk:
        raise NotFound(f"No project run {key[:20]}.")
    return run


def _only_entry_point(request: ActorRequest) -> str:
    return str(request.POST.get("entry_point", "")).replace("\x00", "")


def _page(request: ActorRequest, form: StartForm, status: int = 200) -> HttpResponse:
    context = project_frame(request.actor, form.begin.project, "") | {"form": form, "again": form.begin.again}
    return render(request, "projects/start.html", context, status=status)


@transaction.atomic
def _submit(request: ActorRequest, form: StartForm) -> ProjectRun:
    """One transaction, so that a refusal leaves no experiment behind."""
    project, before = form.begin.project, form.begin.again
    archive = before.archive if before is not None and form.cleaned_data.get("same_files") else None
    return actions.submit_run(
        request.actor,
        submission=form.submission(),
        project=project,
        experiment=_experiment(request, form, project),
        archive=archive,
        repeats=before,
    )


def _experiment(request: ActorRequest, form: StartForm, project: Project) -> Experiment:
    given: dict[str, Any] = form.cleaned_data
    if name := given["new_experiment"].strip():
        return create_experiment(request.actor.speaking_for(project.team_id), name=name)
    if chosen := given["experiment"]:
        return experiments.get_experiment(request.actor, chosen, Level.EDIT)
    return experiment_for(request.actor, project)
