"""The builds of a model version: what the last one found, and a new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Actor, Level
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import MENDABLE, methods
from apps.core.rules import signed_in
from apps.projects import actions
from apps.projects.selectors.builds import build_page
from apps.registry import access
from apps.registry.addresses import model_url, version_url
from apps.registry.models import ModelVersion


@signed_in
@methods("GET", "POST")
def build(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """What the builds of a version found, as a page or (htmx) as a part of the version's; POST: build it."""
    if request.method == "POST":
        return _started(request, _version(request.actor, team, name, number, Level.EDIT))
    version = _version(request.actor, team, name, number)
    context = {"version": version, "model": version.model, "page": build_page(version)}
    context["may_edit"] = access.level_of_model(request.actor, version.model) >= Level.EDIT
    context["crumbs"] = [
        (_("Models"), reverse("registry:models")),
        (version.model.name, model_url(version.model)),
        (_("Version %s") % version.number, version_url(version)),
        (_("Builds"), ""),
    ]
    template = "_build" if is_fragment(request) else "build"
    return render(request, f"projects/{template}.html", context)


@signed_in
@methods("GET")
def build_by_id(request: ActorRequest, version_id: int) -> HttpResponse:
    """Lead to the builds of a version, for gates, which know its key."""
    version = access.get_version_by_id(request.actor, version_id)
    return redirect("projects:build", version.model.team.name, version.model.name, version.number)


def _started(request: ActorRequest, version: ModelVersion) -> HttpResponse:
    try:
        run = actions.start_build(request.actor, version=version)
    except MENDABLE as error:
        messages.error(request, error.message)
        return redirect("projects:build", version.model.team.name, version.model.name, version.number)
    messages.success(request, _("The build is queued."))
    return redirect("projects:run", run.pk)


def _version(actor: Actor, team: str, name: str, number: int, level: Level = Level.READ) -> ModelVersion:
    return access.version_of(access.get_model_in(actor, team, name, level), access.parse_number(number))
