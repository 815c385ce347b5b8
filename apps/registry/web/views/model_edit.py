"""What people change about a model: that it is there, its name, description and tags."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses
from apps.registry.models import RegisteredModel
from apps.registry.selectors import models
from apps.registry.web.common import refusals_in
from apps.registry.web.model_forms import ConfirmForm, ModelForm, TagForm


@signed_in
@methods("GET", "POST")
def model_new(request: ActorRequest) -> HttpResponse:
    """Make a model without versions, in the team that the page speaks for."""
    form = ModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            given = form.cleaned_data
            model = actions.create_model(request.actor, name=given["name"], description=given["description"])
            return done(request, addresses.model_url(model))
    return dialog(request, form, title=_("New model"), submit=_("Create"), back=reverse("registry:models"))


@signed_in
@methods("GET", "POST")
def model_edit(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Describe; with the right to manage also rename."""
    model = access.get_model_in(request.actor, team, name, Level.EDIT)
    may_rename = access.level_of_model(request.actor, model) >= Level.MANAGE
    before = {"name": model.name, "description": model.description}
    form = ModelForm(request.POST or None, initial=before, may_rename=may_rename)
    back = addresses.model_url(model)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "name"):
            _save(request, model, form)
            return done(request, addresses.model_url(model))
    return dialog(request, form, title=_("Edit model"), submit=_("Save"), back=back)


@signed_in
@methods("GET", "POST")
def model_delete(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Ask, then remove it with its versions."""
    model = access.get_model_in(request.actor, team, name, Level.MANAGE)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.delete_model(request.actor, model=model)
            messages.success(request, _("“%(name)s” is deleted.") % {"name": model.name})
            return done(request, reverse("registry:prompts" if model.is_prompt else "registry:models"))
    lead = _(
        "“%(name)s” and all its versions are removed for good. The runs they came from stay, and so does the history."
    )
    return dialog(
        request,
        form,
        title=_("Delete prompt") if model.is_prompt else _("Delete model"),
        submit=_("Delete"),
        lead=lead % {"name": model.name},
        danger=True,
        back=addresses.model_url(model),
    )


@signed_in
@methods("GET", "POST")
def model_tag(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Set a tag, or with `?key=` change or remove one that is there."""
    model = access.get_model_in(request.actor, team, name, Level.EDIT)
    key = request.GET.get("key", "")
    initial = {"key": key, "value": dict(models.tags_of(model)).get(key, "")}
    form = TagForm(request.POST or None, initial=initial, is_new=not key)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "key"):
            _save_tag(request, model, form.cleaned_data)
            return done(request, addresses.model_url(model))
    back = addresses.model_url(model)
    return dialog(request, form, title=_("Tag"), submit=_("Save"), action=request.get_full_path(), back=back)


@transaction.atomic
def _save(request: ActorRequest, model: RegisteredModel, form: ModelForm) -> None:
    given = form.cleaned_data
    if "description" in form.changed_data:
        actions.describe_model(request.actor, model=model, description=given["description"])
    if "name" in form.changed_data:
        actions.rename_model(request.actor, model=model, name=given["name"])


def _save_tag(request: ActorRequest, model: RegisteredModel, given: dict[str, Any]) -> None:
    if given.get("remove"):
        actions.delete_model_tag(request.actor, model=model, key=given["key"])
    else:
        actions.set_model_tag(request.actor, model=model, key=given["key"], value=given["value"])
