from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Actor, Level
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.experiments import access, actions
from apps.experiments.models import Experiment
from apps.experiments.selectors import overview
from apps.experiments.web.forms import ExperimentForm, NewExperimentForm
from apps.experiments.web.views.home import quickstart

_PAGE_SIZE = 50
_MAX_SEARCH = 500
_COMPARED_AT_MOST = 10
_RUNS_OF_EACH = 3


@signed_in
@methods("GET")
def experiment_list(request: ActorRequest) -> HttpResponse:
    """The experiments of the team and those granted: search, sort, pages."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:_MAX_SEARCH]
    sort = request.GET.get("sort", "-last")
    found = overview.experiments_matching(request.actor, text=text, sort=sort)
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    rows = overview.rows_of(page.object_list)
    context = {"page": page, "rows": rows, "q": text, "sort": sort, **quickstart(request)}
    template = "_experiment_table" if is_fragment(request) else "experiment_list"
    return render(request, f"experiments/{template}.html", context)


@signed_in
@methods("GET", "POST")
def experiment_new(request: ActorRequest) -> HttpResponse:
    """Make an experiment in the team that the page speaks for."""
    form = NewExperimentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            experiment = _create(request.actor, form.cleaned_data)
            return done(request, reverse("experiments:experiment", args=[experiment.pk]))
    return dialog(request, form, title=_("New experiment"), submit=_("Create"), back=reverse("experiments:experiments"))


@signed_in
@methods("GET", "POST")
def experiment_edit(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """Rename and describe."""
    experiment = access.get_experiment(request.actor, experiment_id, Level.EDIT)
    before = {"name": experiment.name, "note": overview.note_of(experiment)}
    form = ExperimentForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            _save(request.actor, experiment, form)
            return done(request, reverse("experiments:experiment", args=[experiment.pk]))
    back = reverse("experiments:experiment", args=[experiment.pk])
    return dialog(request, form, title=_("Edit experiment"), submit=_("Save"), back=back)


@signed_in
@methods("GET", "POST")
def experiment_delete(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """Ask, then put it into the trash."""
    experiment = access.get_experiment(request.actor, experiment_id, Level.MANAGE)
    if request.method == "POST":
        actions.delete_experiment(request.actor, experiment=experiment)
        messages.success(request, _("“%(name)s” lies in the trash.") % {"name": experiment.name})
        return done(request, reverse("experiments:experiments"))
    lead = _("“%(name)s” and its runs go to the trash, where they can be restored until the retention time is over.")
    return dialog(
        request,
        None,
        title=_("Delete experiment"),
        submit=_("Delete"),
        lead=lead % {"name": experiment.name},
        danger=True,
        back=reverse("experiments:experiment", args=[experiment.pk]),
    )


@signed_in
@methods("POST")
def experiment_restore(request: ActorRequest, experiment_id: int) -> HttpResponse:
    """Take it out of the trash."""
    experiment = access.get_experiment(request.actor, experiment_id, Level.MANAGE)
    actions.restore_experiment(request.actor, experiment=experiment)
    messages.success(request, _("“%(name)s” is back.") % {"name": experiment.name})
    return done(request, reverse("experiments:experiment", args=[experiment.pk]))


@signed_in
@methods("GET")
def experiments_compare(request: ActorRequest) -> HttpResponse:
    """Lead from picked experiments to a comparison of the newest runs of each."""
    picked = [int(raw) for raw in request.GET.getlist("experiment") if raw.isdecimal() and len(raw) < 19]
    runs = overview.newest_of_each(request.actor, picked[:_COMPARED_AT_MOST], _RUNS_OF_EACH)
    return redirect(f"{reverse('experiments:compare')}?runs={','.join(run.run_id for run in runs)}")


@signed_in
@methods("GET")
def experiment_trash(request: ActorRequest) -> HttpResponse:
    """Deleted experiments of the team, to restore."""
    found = Experiment.objects.listed_for(request.actor).filter(deleted_ms__isnull=False)
    page = Paginator(found.select_related("team").order_by("-deleted_ms", "-pk"), _PAGE_SIZE)
    shown = page.get_page(request.GET.get("page"))
    rows = [(experiment, _may_restore(request.actor, experiment)) for experiment in shown]
    return render(request, "experiments/experiment_trash.html", {"page": shown, "rows": rows})


def _may_restore(actor: Actor, experiment: Experiment) -> bool:
    """By role or as its maker, without a statement for each row; who was granted it restores it on its own page."""
    level = actor.level_in(experiment.team_id)
    return level >= Level.MANAGE or (experiment.owner_id == actor.user_id and level >= Level.EDIT)


def _create(actor: Actor, given: dict[str, Any]) -> Experiment:
    tags = [(overview.NOTE_TAG, given["note"])] if given["note"] else []
    return actions.create_experiment(actor, name=given["name"], artifact_location=given["artifact_location"], tags=tags)


@transaction.atomic
def _save(actor: Actor, experiment: Experiment, form: ExperimentForm) -> None:
    given = form.cleaned_data
    if "name" in form.changed_data:
        actions.rename_experiment(actor, experiment=experiment, name=given["name"])
    if "note" in form.changed_data:
        actions.set_experiment_tag(actor, experiment=experiment, key=overview.NOTE_TAG, value=given["note"])
