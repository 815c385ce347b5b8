"""The list of models, and a model's page: its versions, and what happened to it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.selectors import activity_of_all
from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.registry import access, addresses
from apps.registry.models import RegisteredModel
from apps.registry.search.models import within_time
from apps.registry.selectors import models, versions
from apps.registry.stages import ENTERED, Stage

_PAGE_SIZE = 50
_MAX_SEARCH = 1000


@signed_in
@methods("GET")
def model_list(request: ActorRequest) -> HttpResponse:
    """The models of the team and those granted: search, stage, sort, pages."""
    text, stage = searched(request), request.GET.get("stage", "")
    sort = request.GET.get("sort", "-updated")
    context = listed(request, text, sort, stage=stage)
    context |= {"stage": stage, "stages": ENTERED}
    template = "_model_table" if is_fragment(request) else "model_list"
    return render(request, f"registry/{template}.html", context)


@signed_in
@methods("GET")
def model_detail(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """A model: its description and the table of its versions."""
    model = access.get_model_in(request.actor, team, name)
    if model.is_prompt:
        return redirect(addresses.model_url(model))
    stage, sort = request.GET.get("stage", ""), request.GET.get("sort", "-number")
    found = versions.versions_of(model, stage=stage, sort=sort)
    page = Paginator(found, _PAGE_SIZE).get_page(request.GET.get("page"))
    context = frame(request.actor, model) | {"page": page, "sort": sort, "stage": stage, "tab": "versions"}
    context["rows"] = versions.rows_of(request.actor, model, page.object_list, tag_length=models.TAG_SHOWN)
    context |= {"tags": models.tags_of(model), "requests": versions.requests_of(model)}
    context["stages"] = list(Stage)
    return render(request, "registry/model_detail.html", context)


@signed_in
@methods("GET")
def model_activity(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Who did what to the model and its newest versions."""
    model = access.get_model_in(request.actor, team, name)
    context = frame(request.actor, model) | {"tab": "activity"}
    objects = {"registered_model": [model.pk], "model_version": versions.newest_keys(model)}
    context["events"] = activity_of_all(request.actor, objects)
    return render(request, "registry/model_activity.html", context)


@signed_in
@methods("GET")
def model_find(request: ActorRequest) -> HttpResponse:
    """Lead from a name, as clients say it, to the page of the model or of its `version`."""
    model = access.get_model(request.actor, request.GET.get("name", "").replace("\x00", ""))
    number = request.GET.get("version")
    version = access.version_of(model, access.parse_number(number)) if number else None
    return redirect(addresses.version_url(version) if version else addresses.model_url(model))


@signed_in
@methods("GET")
def model_by_id(request: ActorRequest, model_id: int) -> HttpResponse:
    """Lead to the page of a model, for links of the audit log, which know its key."""
    return redirect(addresses.model_url(access.get_model_by_id(request.actor, model_id)))


@signed_in
@methods("GET")
def version_by_id(request: ActorRequest, version_id: int) -> HttpResponse:
    """Lead to the page of a version, in the same way."""
    return redirect(addresses.version_url(access.get_version_by_id(request.actor, version_id)))


def frame(actor: Actor, model: RegisteredModel) -> dict[str, Any]:
    """What every tab of a model's page shows around its own part."""
    level = access.level_of_model(actor, model)
    summary = models.rows_of([model])[0]
    return {
        "model": model,
        "summary": summary,
        "share_key": kind_of(ObjectKind.REGISTERED_MODEL).key_of(model.pk),
        "may_edit": level >= Level.EDIT,
        "may_manage": level >= Level.MANAGE,
    }


def listed(request: ActorRequest, text: str, sort: str, *, stage: str = "", prompts: bool = False) -> dict[str, Any]:
    """A page of the list; with a filter that can't be read or takes too long, its problem and no rows."""
    try:
        with within_time(text):
            found = models.models_matching(request.actor, text=text, stage=stage, sort=sort, prompts=prompts)
            page = Paginator(models.beginnings(found), _PAGE_SIZE).get_page(request.GET.get("page"))
            rows = models.rows_of(page.object_list, tag_length=models.TAG_SHOWN)
    except InvalidInput as error:
        return {"problem": error.message, "q": text, "sort": sort}
    return {"page": page, "rows": rows, "q": text, "sort": sort}


def searched(request: ActorRequest) -> str:
    """What is searched for, as text that a database takes."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:_MAX_SEARCH]
