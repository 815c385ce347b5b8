"""What people change about a version: its description and tags, and that it is there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.registry import actions, addresses
from apps.registry.models import ModelVersion
from apps.registry.selectors import versions
from apps.registry.web.common import refusals_in
from apps.registry.web.model_forms import ConfirmForm, DescriptionForm, TagForm
from apps.registry.web.views.versions import fetch


@signed_in
@methods("GET", "POST")
def version_describe(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Write the description."""
    version = fetch(request.actor, team, name, number, Level.EDIT)
    form = DescriptionForm(request.POST or None, initial={"description": version.description})
    back = addresses.version_url(version)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "description"):
            actions.describe_version(request.actor, version=version, description=form.cleaned_data["description"])
            return done(request, back)
    return dialog(request, form, title=_("Description"), submit=_("Save"), back=back)


@signed_in
@methods("GET", "POST")
def version_tag(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Set a tag, or with `?key=` change or remove one that is there."""
    version = fetch(request.actor, team, name, number, Level.EDIT)
    key, back = request.GET.get("key", ""), addresses.version_url(version)
    initial = {"key": key, "value": dict(versions.tags_of(version)).get(key, "")}
    form = TagForm(request.POST or None, initial=initial, is_new=not key)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "key"):
            _save_tag(request, version, form.cleaned_data)
            return done(request, back)
    return dialog(request, form, title=_("Tag"), submit=_("Save"), action=request.get_full_path(), back=back)


@signed_in
@methods("GET", "POST")
def version_delete(request: ActorRequest, team: str, name: str, number: int) -> HttpResponse:
    """Ask, then remove it."""
    version = fetch(request.actor, team, name, number, Level.EDIT)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.delete_version(request.actor, version=version)
            messages.success(request, _("Version %(number)s is deleted.") % {"number": number})
            return done(request, addresses.model_url(version.model))
    lead = _(
        "Version %(number)s of “%(name)s” is removed for good, with the aliases that point at it. "
        "Its number never comes again."
    )
    return dialog(
        request,
        form,
        title=_("Delete version"),
        submit=_("Delete"),
        lead=lead % {"number": number, "name": version.model.name},
        danger=True,
        back=addresses.version_url(version),
    )


def _save_tag(request: ActorRequest, version: ModelVersion, given: dict[str, Any]) -> None:
    if given.get("remove"):
        actions.delete_version_tag(request.actor, version=version, key=given["key"])
    else:
        actions.set_version_tag(request.actor, version=version, key=given["key"], value=given["value"])
