"""Registering a version in the browser, from the page of a run, of a logged model, or of a model."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, methods
from apps.core.rules import signed_in
from apps.experiments import access as experiments
from apps.registry import access, actions, addresses
from apps.registry.models import ModelVersion
from apps.registry.selectors import registering
from apps.registry.web.common import refusals_in
from apps.registry.web.model_forms import RegisterForm


@signed_in
@methods("GET", "POST")
def register(request: ActorRequest) -> HttpResponse:
    """Make a version of what `?run=` or `?logged_model=` left, or of a source that is typed; `?model=` chooses one."""
    sources, back = _sources(request)
    form = RegisterForm(
        request.POST or None,
        initial={"model": request.GET.get("model", ""), "source": _written_source(request)},
        models=registering.models_to_add_to(request.actor),
        sources=sources,
    )
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            version = _create(request, form.cleaned_data)
            return done(request, addresses.version_url(version))
    title = _("Register a version")
    return dialog(request, form, title=title, submit=_("Register"), action=request.get_full_path(), back=back)


@signed_in
@methods("GET")
def registered_from(request: ActorRequest) -> HttpResponse:
    """A panel for the page of a run or logged model: the versions that were made of it."""
    if model_id := request.GET.get("logged_model"):
        logged = experiments.get_logged_model(request.actor, model_id)
        found, query = registering.registered_from(request.actor, logged=logged), f"logged_model={logged.model_id}"
    else:
        run = experiments.get_run(request.actor, request.GET.get("run", ""))
        found, query = registering.registered_from(request.actor, run=run), f"run={run.run_id}"
    context = {"versions": found, "register_url": f"{reverse('registry:register')}?{query}"}
    return render(request, "registry/_registered_from.html", context)


def _sources(request: ActorRequest) -> tuple[list[tuple[str, str]], str]:
    """What the form offers, and where "Cancel" leads."""
    if model_id := request.GET.get("logged_model"):
        logged = experiments.get_logged_model(request.actor, model_id)
        return [registering.source_of_logged_model(logged)], reverse("experiments:logged_model", args=[model_id])
    if run_id := request.GET.get("run"):
        run = experiments.get_run(request.actor, run_id)
        return registering.sources_of_run(run), reverse("experiments:run", args=[run.run_id])
    return [], reverse("registry:models")


def _written_source(request: ActorRequest) -> str:
    """What the field begins with: clients leave a run's model in the folder `model` of its files."""
    run_id = request.GET.get("run")
    return f"runs:/{run_id}/model" if run_id else request.GET.get("source", "")


@transaction.atomic
def _create(request: ActorRequest, given: dict[str, Any]) -> ModelVersion:
    if given["model"]:
        model = access.get_model_by_id(request.actor, int(given["model"]), Level.EDIT)
    else:
        model = actions.create_model(request.actor, name=given["new_name"])
    return actions.create_version(request.actor, model=model, source=given["source"], description=given["description"])
