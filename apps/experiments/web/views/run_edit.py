"""What people change about a run: its name, note and tags, and whether it lies in the trash."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.experiments import access, actions
from apps.experiments.models import Run
from apps.experiments.selectors import runs
from apps.experiments.selectors.overview import NOTE_TAG
from apps.experiments.web.run_forms import RunNameForm, RunNoteForm, RunTagForm


@signed_in
@methods("GET", "POST")
def rename(request: ActorRequest, run_id: str) -> HttpResponse:
    """Give the run another name."""
    run = access.get_run(request.actor, run_id, Level.EDIT)
    form = RunNameForm(request.POST or None, initial={"name": run.name})
    if request.method == "POST" and form.is_valid():
        actions.update_run(request.actor, run=run, name=form.cleaned_data["name"])
        return done(request, reverse("experiments:run", args=[run.run_id]))
    return dialog(request, form, title=_("Rename run"), submit=_("Save"))


@signed_in
@methods("GET", "POST")
def edit_note(request: ActorRequest, run_id: str) -> HttpResponse:
    """Write the run's note."""
    run = access.get_run(request.actor, run_id, Level.EDIT)
    form = RunNoteForm(request.POST or None, initial={"note": runs.tags_of(run).get(NOTE_TAG, "")})
    if request.method == "POST" and form.is_valid():
        actions.set_tag(request.actor, run_id=run.run_id, key=NOTE_TAG, value=form.cleaned_data["note"])
        return done(request, reverse("experiments:run", args=[run.run_id]))
    return dialog(request, form, title=_("Note"), submit=_("Save"))


@signed_in
@methods("GET", "POST")
def edit_tag(request: ActorRequest, run_id: str) -> HttpResponse:
    """Set a tag, or with `?key=` change or remove one that is there."""
    run = access.get_run(request.actor, run_id, Level.EDIT)
    key = request.GET.get("key", "")
    initial = {"key": key, "value": runs.tags_of(run).get(key, "")}
    form = RunTagForm(request.POST or None, initial=initial, is_new=not key)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "key"):
            _save_tag(request, run, form.cleaned_data)
            return done(request, reverse("experiments:run", args=[run.run_id]))
    return dialog(request, form, title=_("Tag"), submit=_("Save"), action=request.get_full_path())


@signed_in
@methods("POST")
def delete(request: ActorRequest, run_id: str) -> HttpResponse:
    """Put the run into the trash."""
    run = access.get_run(request.actor, run_id, Level.MANAGE)
    actions.delete_run(request.actor, run=run)
    return redirect("experiments:run", run.run_id)


@signed_in
@methods("POST")
def restore(request: ActorRequest, run_id: str) -> HttpResponse:
    """Take the run out of the trash."""
    run = access.get_run(request.actor, run_id, Level.MANAGE)
    actions.restore_run(request.actor, run=run)
    return redirect("experiments:run", run.run_id)


def _save_tag(request: ActorRequest, run: Run, data: dict[str, Any]) -> None:
    if data.get("remove"):
        actions.delete_tag(request.actor, run_id=run.run_id, key=data["key"])
    else:
        actions.set_tag(request.actor, run_id=run.run_id, key=data["key"], value=data["value"])
