"""Groups of approvers: named people of a team or of the site, whom policies name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import find_people, get_team
from apps.accounts.models import Team
from apps.core.http import ActorRequest
from apps.core.pages import MENDABLE, dialog, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions
from apps.registry.models import ApproverGroup
from apps.registry.selectors import groups
from apps.registry.web.approval_forms import GroupForm
from apps.registry.web.common import refusals_in

_PAGE_SIZE = 50


@signed_in
@methods("GET")
def group_list(request: ActorRequest) -> HttpResponse:
    """The groups that one may see; who is in them only for those who may know."""
    page = Paginator(groups.groups_for(request.actor), _PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": groups.lines_of(request.actor, page.object_list),
        "teams": groups.administered(request.actor),
    }
    return render(request, "registry/group_list.html", context)


@signed_in
@methods("GET", "POST")
def group_new(request: ActorRequest) -> HttpResponse:
    """A group of the site, or with `?team=` of a team."""
    team = _team(request)
    access.require_policies(request.actor, team)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "members"):
            actions.create_group(request.actor, team=team, **_data(request, form))
            return done(request, reverse("registry:groups"))
    owner = _("the team %s") % team.name if team else _("the site")
    return _dialog(request, form, title=_("New group of %s") % owner, submit=_("Create"))


@signed_in
@methods("GET", "POST")
def group_change(request: ActorRequest, group_id: int) -> HttpResponse:
    """Rename, describe, and say who is in it."""
    group = access.get_group(request.actor, group_id)
    access.require_policies(request.actor, group.team)
    form = GroupForm(request.POST or None, initial=_initial(group))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form, "members"):
            actions.change_group(request.actor, group=group, **_data(request, form))
            return done(request, reverse("registry:groups"))
    lead = _("Open requests that the group decides on begin anew where its members change.")
    return _dialog(request, form, title=_("The group %s") % group.name, submit=_("Save"), lead=lead)


@signed_in
@methods("POST")
def group_delete(request: ActorRequest, group_id: int) -> HttpResponse:
    """Remove a group that no policy names."""
    group = access.get_group(request.actor, group_id)
    try:
        actions.delete_group(request.actor, group=group)
        messages.success(request, _("The group %s is deleted.") % group.name)
    except MENDABLE as error:
        messages.error(request, error.message)
    return redirect("registry:groups")


def _dialog(request: ActorRequest, form: GroupForm, **texts: Any) -> HttpResponse:
    return dialog(request, form, back=reverse("registry:groups"), action=request.get_full_path(), **texts)


def _team(request: ActorRequest) -> Team | None:
    name = request.GET.get("team", "").replace("\x00", "")
    return get_team(request.actor, name) if name else None


def _initial(group: ApproverGroup) -> dict[str, Any]:
    names = group.members.order_by("username").values_list("username", flat=True)
    return {"name": group.name, "description": group.description, "members": "\n".join(names)}


def _data(request: ActorRequest, form: GroupForm) -> dict[str, Any]:
    """What the form says, with the people that it names. Raises `NotFound` for the first that there is not."""
    found = find_people(request.actor, form.cleaned_data["members"])
    return form.cleaned_data | {"members": list(found.values())}
