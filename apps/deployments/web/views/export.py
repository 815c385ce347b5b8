"""A version as a bundle for a place that is not driven from here."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core.errors import NotFound
from apps.core.http import ActorRequest
from apps.core.keys import parse_key
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.deployments import exports
from apps.deployments.selectors import choices
from apps.deployments.targets.export import ExportKind
from apps.deployments.web.common import asked_model
from apps.registry import access as registry


@signed_in
@methods("GET")
def export(request: ActorRequest) -> HttpResponse:
    """Choose a version of `?model=`, or begin with `?version=`, and the place. Without them, a model comes first."""
    model, version = asked_model(request)
    if model is None:
        return redirect(reverse("deployments:deployment_new"))
    versions = choices.versions_to_deploy(model, version)
    begin = version or choices.usual_version(versions)
    context = {"model": model, "versions": versions, "chosen": begin, "kinds": list(ExportKind)}
    return render(request, "deployments/export.html", context)


@signed_in
@methods("GET")
def bundle(request: ActorRequest) -> StreamingHttpResponse:
    """The archive of `?version=` for the place that `?kind=` names."""
    kind = exports.kind_of(request.GET.get("kind", ""))
    version_id = parse_key(request.GET.get("version", ""))
    if version_id is None:
        raise NotFound("No such model version.")
    return exports.answer_with(exports.export_version(registry.get_version_by_id(request.actor, version_id), kind))
