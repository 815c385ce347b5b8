from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.accounts import access, actions, selectors
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import ObjectKind, Team, User
from apps.accounts.web.forms import GrantForm
from apps.core.actor import Actor, Level
from apps.core.errors import NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import REFUSED, errors_in, methods
from apps.core.rules import signed_in


@signed_in
@methods("GET")
def sharing(request: ActorRequest, kind: str, reference: str) -> HttpResponse:
    """Who can see an object and why; for those who manage it also the form to share it."""
    return _panel(request, _find(request.actor, kind, reference, Level.READ))


@signed_in
@methods("POST")
def give_grant(request: ActorRequest, kind: str, reference: str) -> HttpResponse:
    """Share an object, or change how it is shared."""
    target = _find(request.actor, kind, reference, Level.MANAGE)
    form = GrantForm(kind_of(target.kind).levels, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        with errors_in(form, "holder"):
            holder = _holder(request.actor, data["holder_kind"], data["holder"])
            actions.give_grant(request.actor, target=target, to=holder, level=data["level"])
            return _panel(request, target)
    return _panel(request, target, form)


@signed_in
@methods("POST")
def revoke_grant(request: ActorRequest, kind: str, reference: str) -> HttpResponse:
    """Stop sharing an object with somebody."""
    target = _find(request.actor, kind, reference, Level.MANAGE)
    name = _readable(request.POST.get("holder", ""))
    is_team = request.POST.get("holder_kind") == "team"
    holder = access.find_team(request.actor, name) if is_team else access.find_holder(target, name)
    actions.revoke_grant(request.actor, target=target, to=holder)
    return _panel(request, target)


def _find(actor: Actor, kind: str, reference: str, level: Level) -> Target:
    if kind not in ObjectKind.values:
        raise NotFound("Not found.")
    return kind_of(ObjectKind(kind)).find(actor, _readable(reference), level)


def _holder(actor: Actor, kind: str, name: str) -> User | Team:
    return access.find_team(actor, name) if kind == "team" else access.find_person(actor, name)


def _readable(name: str) -> str:
    if "\x00" in name:
        raise NotFound("Not found.")
    return name


def _panel(request: ActorRequest, target: Target, form: GrantForm | None = None) -> HttpResponse:
    form = form or GrantForm(kind_of(target.kind).levels)
    may_change = kind_of(target.kind).level_of(request.actor, target) >= Level.MANAGE
    context = {
        "target": target,
        "form": form,
        "may_change": may_change,
        "grants": selectors.grants_on(target) if may_change else [],
        "reasons": selectors.reasons_for(request.actor, target),
        "title": _("Share %s") % target.name if may_change else _("Who can see %s") % target.name,
    }
    template = "accounts/_grants.html" if is_fragment(request) else "accounts/grants.html"
    return render(request, template, context, status=REFUSED if form.errors else 200)
