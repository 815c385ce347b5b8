"""The files of a run or a logged model: a tree, previews, and what a preview fetches."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments import access
from apps.experiments.artifacts import browsing
from apps.experiments.artifacts.folders import folder_of_logged_model, folder_of_run
from apps.experiments.web.views import run_detail


@signed_in
@methods("GET")
def run_artifacts(request: ActorRequest, run_id: str) -> HttpResponse:
    """The files of a run; `?path=` shows one, `?folder=` (htmx) lists one."""
    run = access.get_run(request.actor, run_id)
    folder = folder_of_run(run)
    if part := browsing.part(request, folder):
        return part
    page = run_detail.page_context(request.actor, run, "artifacts")
    return render(request, "experiments/run_artifacts.html", page | browsing.files_context(request, folder))


@signed_in
@methods("GET")
def model_artifacts(request: ActorRequest, model_id: str) -> HttpResponse:
    """The files of a logged model, in the same way."""
    model = access.get_logged_model(request.actor, model_id)
    folder = folder_of_logged_model(model)
    if part := browsing.part(request, folder):
        return part
    context = {"model": model, "page": None, "tab": "artifacts"} | browsing.files_context(request, folder)
    return render(request, "experiments/logged_model_files.html", context)


@xframe_options_sameorigin
@signed_in
@methods("GET")
def run_raw(request: ActorRequest, run_id: str) -> HttpResponseBase:
    """One file of a run: for the preview, or with `?download=1` as an attachment."""
    return browsing.raw(request, folder_of_run(access.get_run(request.actor, run_id)))


@xframe_options_sameorigin
@signed_in
@methods("GET")
def model_raw(request: ActorRequest, model_id: str) -> HttpResponseBase:
    """One file of a logged model, in the same way."""
    return browsing.raw(request, folder_of_logged_model(access.get_logged_model(request.actor, model_id)))
