"""A version's page, by tabs."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from apps.audit.selectors import activity_of
from apps.core.actor import Actor, Level
from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments.artifacts import browsing
from apps.registry import access, addresses
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.selectors import contents, lineage, versions
from apps.registry.selectors.drawing import draw


@signed_in
@methods("GET")
def version_detail(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """The version at a glance."""
    version = fetch(request.actor, team, name, number)
    if version.model.is_prompt:
        return redirect(addresses.version_url(version))
    context = frame(request.actor, version, "overview")
    found = contents.contents_of(version)
    context |= {"page": versions.version_page(request.actor, version), "contents": found}
    context |= {"python": contents.python_call(version, found), "shell": contents.curl_call(version, found)}
    return render(request, "registry/version_detail.html", context)


@signed_in
@methods("GET")
def version_lineage(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Where the version came from, and what came of it."""
    version = fetch(request.actor, team, name, number)
    graph = lineage.lineage_of(request.actor, version)
    context = frame(request.actor, version, "lineage") | {"graph": graph, "picture": draw(graph)}
    context |= {"sentences": graph.sentences(), "same_data": lineage.trained_on_the_same(request.actor, version)}
    return render(request, "registry/version_lineage.html", context)


@signed_in
@methods("GET")
def version_activity(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Where the version was, and who did what to it."""
    version = fetch(request.actor, team, name, number)
    context = frame(request.actor, version, "activity")
    context["placements"] = versions.placements_of(version)
    context["events"] = activity_of(request.actor, "model_version", version.pk)
    return render(request, "registry/version_activity.html", context)


@signed_in
@methods("GET")
def version_files(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """The files of the version; `?path=` shows one, `?folder=` (htmx) lists one."""
    version = fetch(request.actor, team, name, number)
    context = frame(request.actor, version, "files")
    if version.is_broken:
        return render(request, "registry/version_files.html", context)
    folder = folder_of_version(version)
    if part := browsing.part(request, folder):
        return part
    return render(request, "registry/version_files.html", context | browsing.files_context(request, folder))


@xframe_options_sameorigin
@signed_in
@methods("GET")
def version_raw(request: ActorRequest, team: str, name: str, number: int) -> HttpResponseBase:
    """One file of the version: for the preview, or with `?download=1` as an attachment."""
    return browsing.raw(request, folder_of_version(fetch(request.actor, team, name, number)))


def fetch(actor: Actor, team: str, name: str, number: int, level: Level = Level.READ) -> ModelVersion:
    """The version of an address."""
    return access.version_of(access.get_model_in(actor, team, name, level), access.parse_number(number))


def frame(actor: Actor, version: ModelVersion, tab: str) -> dict[str, Any]:
    """What every tab of a version's page shows around its own part."""
    level = access.level_of_model(actor, version.model)
    return {
        "version": version,
        "model": version.model,
        "version_uri": addresses.version_uri(version),
        "aliases": versions.aliases_of(version),
        "comment_count": version.comments.count(),
        "tab": tab,
        "may_edit": level >= Level.EDIT,
        "may_manage": level >= Level.MANAGE,
    }
