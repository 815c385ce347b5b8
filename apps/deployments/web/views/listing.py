"""The lists: deployments, those of a version, and the machines that serve."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.deployments.configuration import TargetKind
from apps.deployments.selectors import deployments
from apps.deployments.selectors.deployments import Wanted
from apps.deployments.selectors.hosts import hosts
from apps.deployments.state_words import WORDS
from apps.deployments.web.common import PAGE_SIZE, searched
from apps.registry import access as registry

_ON_HOME = 6
# Beside the states a list can be narrowed to those with something to decide.
_PROPOSED = "proposed"


@signed_in
@methods("GET")
def deployment_list(request: ActorRequest) -> HttpResponse:
    """The deployments of the team and those granted: search, narrow, sort, pages."""
    wanted, sort = _wanted(request), request.GET.get("sort", "name")
    found = deployments.in_order(deployments.deployments_matching(request.actor, wanted), sort)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = deployments.rows_of(page.object_list)
    context = {"page": page, "rows": rows, "wanted": wanted, "sort": sort, "words": WORDS}
    context["is_served"] = not rows or bool(hosts().alive)
    template = "_deployment_table" if is_fragment(request) else "deployment_list"
    return render(request, f"deployments/{template}.html", context)


@signed_in
@methods("GET")
def of_version(request: ActorRequest, version_id: int) -> HttpResponse:
    """For the page of a version: where it is deployed, and the way to deploy it."""
    version = registry.get_version_by_id(request.actor, version_id)
    found = deployments.deployments_of_version(request.actor, version.pk)
    context = {"version": version, "rows": deployments.rows_of(found)}
    return render(request, "deployments/_of_version.html", context)


@signed_in
@methods("GET")
def on_home(request: ActorRequest) -> HttpResponse:
    """The busiest of the team, for the page that begins; nothing where there is none."""
    found = deployments.in_order(deployments.deployments_matching(request.actor, Wanted()), "-requests")
    return render(request, "deployments/_on_home.html", {"rows": deployments.rows_of(found[:_ON_HOME])})


@signed_in
@methods("GET")
def host_list(request: ActorRequest) -> HttpResponse:
    """Who serves, which targets they offer, and what they don't hold instances to."""
    template = "_host_table" if is_fragment(request) else "host_list"
    return render(request, f"deployments/{template}.html", {"hosts": hosts()})


def _wanted(request: ActorRequest) -> Wanted:
    state, target, model = (request.GET.get(name, "") for name in ("state", "target", "model"))
    return Wanted(
        text=searched(request),
        state=state if state in WORDS else "",
        is_proposed=state == _PROPOSED,
        target=target if target in list(TargetKind) else "",
        model_id=int(model) if model.isascii() and model.isdigit() and len(model) < 18 else None,
    )
