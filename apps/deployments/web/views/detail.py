"""A deployment's page: how it is, its revisions and instances, and what happened to it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from apps.audit.selectors import activity_of
from apps.core.http import ActorRequest, is_fragment, json_response
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.deployments import access
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment
from apps.deployments.selectors import overview as overviews
from apps.deployments.selectors import rows
from apps.deployments.selectors.calls import calls_of
from apps.deployments.selectors.states import DeploymentState, state_of
from apps.deployments.selectors.traffic import RANGES, series_of, traffic_of
from apps.deployments.web.common import PAGE_SIZE, compared_of, frame, site_url

_NO_STORE = {"Cache-Control": "no-store"}
# Percents that one press gives a canary; for all of it there is a question.
_STEPS = (0, 5, 25, 50)


@signed_in
@methods("GET")
def overview(request: ActorRequest, name: str) -> HttpResponse:
    """How it is, a form to call it, charts. htmx gets the part that changes by itself."""
    deployment = access.get_deployment(request.actor, name)
    state = state_of(deployment, with_versions=True)
    context = frame(request.actor, deployment, "overview", state) | now_of(state)
    context["site"] = site_url(request)
    if is_fragment(request):
        return render(request, "deployments/_now.html", context | {"swaps": True})
    shown = state.shown
    context["calls"] = calls_of(deployment, shown.revision.version if shown else None, context["site"])
    context |= {"ranges": list(RANGES), "series": series_of(deployment, "1h")}
    return render(request, "deployments/overview.html", context)


@signed_in
@methods("GET")
def news(request: ActorRequest, name: str) -> HttpResponse:
    """For who hears nothing by a socket: a text that changes when the page does."""
    deployment = access.get_deployment(request.actor, name)
    return json_response({"now": overviews.fingerprint(deployment)}, headers=_NO_STORE)


@signed_in
@methods("GET")
def traffic(request: ActorRequest, name: str) -> HttpResponse:
    """What the charts draw: `?span=` 1h, 6h, 24h or 7d."""
    deployment = access.get_deployment(request.actor, name)
    return json_response(series_of(deployment, request.GET.get("span", "")), headers=_NO_STORE)


@signed_in
@methods("GET")
def revisions(request: ActorRequest, name: str) -> HttpResponse:
    """All revisions, the newest first, with what each changed."""
    deployment = access.get_deployment(request.actor, name)
    page = Paginator(rows.revisions_of(deployment), PAGE_SIZE).get_page(request.GET.get("page"))
    context = frame(request.actor, deployment, "revisions")
    context |= {"page": page, "rows": rows.revision_rows(deployment, page.object_list)}
    template = "_revision_table" if is_fragment(request) else "revisions"
    return render(request, f"deployments/{template}.html", context)


@signed_in
@methods("GET")
def instances(request: ActorRequest, name: str) -> HttpResponse:
    """What runs of it now, and what ended lately."""
    deployment = access.get_deployment(request.actor, name)
    context = frame(request.actor, deployment, "instances") | {"rows": rows.instance_rows(deployment)}
    template = "_instance_table" if is_fragment(request) else "instances"
    return render(request, f"deployments/{template}.html", context)


@signed_in
@methods("GET")
def activity(request: ActorRequest, name: str) -> HttpResponse:
    """Who did what to it, and what its rules did."""
    deployment = access.get_deployment(request.actor, name)
    context = frame(request.actor, deployment, "activity")
    context["events"] = activity_of(request.actor, "deployment", deployment.pk)
    return render(request, "deployments/activity.html", context)


def now_of(state: DeploymentState) -> dict[str, Any]:
    """What changes by itself on a deployment's page."""
    deployment: Deployment = state.deployment
    wanted, canary, shown = state.wanted, state.canary, state.shown
    in_change = [
        side for side in (wanted, canary) if side is not None and (side.is_moving or side.revision.state == "failed")
    ]
    return {
        "notices": overviews.notices_of(state),
        "changes": [(side, overviews.steps_of(side)) for side in in_change],
        "traffic": traffic_of([deployment])[deployment.pk],
        "compared": compared_of(state) if is_split(state) else [],
        "canary": canary,
        "steps_of_canary": _STEPS,
        "shown": shown,
        "why_not_called": overviews.why_not_called(state),
        "config": Config.from_json(shown.revision.config if shown else deployment.config),
        "fingerprint": overviews.fingerprint(deployment),
    }


def is_split(state: DeploymentState) -> bool:
    """Whether there are two sides to compare."""
    return state.canary is not None or len(state.serving) > 1
