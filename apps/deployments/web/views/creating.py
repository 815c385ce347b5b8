"""The wizard: one page from a version to an endpoint."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.accounts import access as accounts
from apps.accounts.access import require_team
from apps.core.actor import Role
from apps.core.errors import NotFound
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, methods
from apps.core.rules import signed_in
from apps.deployments import access, actions, addresses
from apps.deployments.models import Deployment
from apps.deployments.selectors import checking, choices
from apps.deployments.selectors.hosts import hosts
from apps.deployments.web.common import asked_model, refusals_in, site_url
from apps.deployments.web.forms import NewForm
from apps.registry.models import ModelVersion


@signed_in
@methods("GET", "POST")
def deployment_new(request: ActorRequest) -> HttpResponse:
    """Deploy `?version=` or some version of `?model=`, both by key; without them, choose a model."""
    model, version = asked_model(request)
    access.require_may_deploy(request.actor)
    if model is None:
        return render(request, "deployments/choose_model.html", {"models": choices.models_to_deploy(request.actor)})
    versions = choices.versions_to_deploy(model, version)
    if request.method == "POST":
        form = NewForm(request.POST, model=model, versions=versions)
        if form.is_valid():
            with refusals_in(form):
                return redirect(addresses.deployment_url(_create(request, form, versions)))
        return _page(request, form, status=REFUSED)
    begin = version or choices.usual_version(versions)
    initial = {"name": choices.free_name(model), "version": str(begin.number) if begin else ""}
    return _page(request, NewForm(initial=initial, model=model, versions=versions))


@signed_in
@methods("POST")
def checks(request: ActorRequest) -> HttpResponse:
    """What would stand against a deployment as it is filled in so far, and where it would be reached."""
    model, version = asked_model(request)
    if model is None:
        raise NotFound("No such model.")
    access.require_may_deploy(request.actor)
    form = NewForm(request.POST, model=model, versions=choices.versions_to_deploy(model, version))
    form.is_valid()
    refused = [(str(form[name].label), str(why)) for name, said in form.errors.items() for why in said]
    said = checking.checks_of(request.actor, model, form.cleaned_data, refused)
    context: dict[str, Any] = {"said": said, "site": site_url(request)}
    context["name"] = form.cleaned_data.get("name", "")
    return render(request, "deployments/_checks.html", context)


def _create(request: ActorRequest, form: NewForm, versions: list[ModelVersion]) -> Deployment:
    given = form.cleaned_data
    accounts.get_team_by_id(request.actor, require_team(request.actor), Role.MEMBER)
    chosen = next(one for one in versions if str(one.number) == given["version"])
    return actions.create_deployment(
        request.actor,
        name=given["name"],
        version=chosen,
        config=form.config(),
        description=given["description"],
        follow=form.follow(),
        stages=given["stages"],
        port=form.chosen(),
    )


def _page(request: ActorRequest, form: NewForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "model": form.model, "hosts": hosts(), "site": site_url(request)}
    context["aliases"] = choices.aliases_of(form.model)
    context["targets"] = checking.targets_of(context["hosts"])
    return render(request, "deployments/deployment_new.html", context, status=status)
