"""Secrets of the team that one speaks for: members see which there are, maintainers set and delete them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from apps.accounts.access import get_team
from apps.accounts.models import Team
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.projects import access, actions
from apps.projects.selectors.secrets import may_set, secrets_of
from apps.projects.web.secret_forms import NewSecretForm, SecretForm

_PAGE_SIZE = 50


@signed_in
@methods("GET")
def secret_list(request: ActorRequest) -> HttpResponse:
    """Names, descriptions, and when each was set and used."""
    team_id = request.actor.team_id
    page = Paginator(secrets_of(request.actor, team_id), _PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "projects/secret_list.html", {"page": page, "may_set": may_set(request.actor, team_id)})


@signed_in
@methods("GET", "POST")
@sensitive_post_parameters("value")
def secret_new(request: ActorRequest, team: str) -> HttpResponse:
    """Make a secret of a team."""
    found = _team(request, team)
    form = NewSecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            secret, _is_new = actions.set_secret(request.actor, team=found, replaces=False, **form.cleaned_data)
            messages.success(request, _("The secret %s is kept.") % secret.name)
            return done(request, reverse("projects:secrets"))
    return _dialog(request, form, title=_("New secret of %s") % found.name, submit=_("Keep it"))


@signed_in
@methods("GET", "POST")
@sensitive_post_parameters("value")
def secret_replace(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Give a secret another value."""
    found = _team(request, team)
    secret = access.get_secret(request.actor, found, name)
    form = SecretForm(request.POST or None, initial={"description": secret.description})
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.set_secret(request.actor, team=found, name=secret.name, **form.cleaned_data)
            messages.success(request, _("The secret %s has another value: runs that begin now are given it.") % name)
            return done(request, reverse("projects:secrets"))
    return _dialog(request, form, title=_("Another value for %s") % secret.name, submit=_("Replace"))


@signed_in
@methods("POST")
def secret_delete(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Remove a secret for good."""
    secret = access.get_secret(request.actor, _team(request, team), name)
    actions.delete_secret(request.actor, secret=secret)
    messages.success(request, _("The secret %s is deleted.") % secret.name)
    return redirect("projects:secrets")


def _team(request: ActorRequest, name: str) -> Team:
    team = get_team(request.actor, name)
    access.require_secrets(request.actor, team)
    return team


def _dialog(request: ActorRequest, form: SecretForm, **texts: Any) -> HttpResponse:
    response = dialog(request, form, back=reverse("projects:secrets"), **texts)
    response["Cache-Control"] = "no-store"
    return response
