"""What a deployment is made with from now on: description, configuration, rules and port, each a form of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.errors import Conflict, InvalidInput
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, methods
from apps.core.rules import signed_in
from apps.deployments import access, actions
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment
from apps.deployments.ports import Port
from apps.deployments.selectors import choices
from apps.deployments.selectors.checking import targets_of
from apps.deployments.selectors.hosts import hosts
from apps.deployments.web.common import frame, made_words, refusals_in
from apps.deployments.web.config_forms import NewConfigForm
from apps.deployments.web.forms import DescribeForm, PortForm, RulesForm, initial_of_port, initial_of_rules

Forms = dict[str, forms.Form]
# What is changed, and which level that wants.
_PARTS = {"about": Level.EDIT, "config": Level.EDIT, "rules": Level.MANAGE, "port": Level.MANAGE}


@signed_in
@methods("GET", "POST")
def deployment_settings(request: ActorRequest, name: str) -> HttpResponse:
    """The forms; `part` says which was sent."""
    deployment = access.get_deployment(request.actor, name)
    part = request.POST.get("part", "") if request.method == "POST" else ""
    if request.method == "POST" and part not in _PARTS:
        raise InvalidInput("part has to be one of " + ", ".join(_PARTS) + ".")
    if part:
        access.require_level(request.actor, deployment, _PARTS[part])
    shown = _forms(deployment, part, request)
    form = shown.get(part)
    if form is not None and form.is_valid():
        with refusals_in(form):
            messages.success(request, _SAVES[part](request, deployment, form))
            return redirect(_back(deployment, part))
    context = frame(request.actor, deployment, "settings") | {f"{key}_form": one for key, one in shown.items()}
    context |= {"form": shown["config"], "targets": targets_of(hosts())}
    context["aliases"] = choices.aliases_of(deployment.model) if deployment.model else []
    status = REFUSED if form is not None else 200
    return render(request, "deployments/settings.html", context, status=status)


def _back(deployment: Deployment, part: str) -> str:
    tab = "deployment" if part == "config" else "settings"
    return reverse(f"deployments:{tab}", args=(deployment.name,))


def _forms(deployment: Deployment, part: str, request: ActorRequest) -> Forms:
    def given(name: str) -> Any:
        return request.POST if part == name else None

    rules = RulesForm(given("rules"), initial=initial_of_rules(Follow.of(deployment), deployment.stages))
    rules.fields["follows"].label = _("What it follows")
    return {
        "about": DescribeForm(given("about"), initial={"description": deployment.description}),
        "config": NewConfigForm(given("config"), config=Config.from_json(deployment.config)),
        "rules": rules,
        "port": PortForm(given("port"), initial=initial_of_port(Port.of(deployment))),
    }


def _save_about(request: ActorRequest, deployment: Deployment, form: DescribeForm) -> str:
    text = form.cleaned_data["description"]
    actions.describe_deployment(request.actor, deployment=deployment, description=text)
    return _("Saved.")


def _save_config(request: ActorRequest, deployment: Deployment, form: NewConfigForm) -> str:
    wanted = access.get_revision(request.actor, deployment, deployment.wanted.number if deployment.wanted else 0)
    if wanted.version is None:
        raise Conflict(_("Its version was deleted: deploy another with this configuration."))
    config = form.config()
    if config == Config.from_json(deployment.config):
        raise Conflict(_("Nothing was changed, so there is no new revision."))
    reason = form.cleaned_data["reason"]
    revision = actions.deploy_version(
        request.actor, deployment=deployment, version=wanted.version, config=config, reason=reason
    )
    return made_words(deployment, revision)


def _save_rules(request: ActorRequest, deployment: Deployment, form: RulesForm) -> str:
    stages = form.cleaned_data["stages"]
    actions.set_rules(request.actor, deployment=deployment, follow=form.follow(), stages=stages)
    return _("Saved: what it follows and takes from now on.")


def _save_port(request: ActorRequest, deployment: Deployment, form: PortForm) -> str:
    actions.set_port(request.actor, deployment=deployment, port=form.chosen())
    return _("Saved: the port changes in a moment.")


_SAVES: dict[str, Callable[..., str]] = {
    "about": _save_about,
    "config": _save_config,
    "rules": _save_rules,
    "port": _save_port,
}
