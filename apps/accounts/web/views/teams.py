from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import access, actions, selectors
from apps.accounts.models import Team, Token, User
from apps.accounts.web.common import errors_as_messages, said, settings_page
from apps.accounts.web.forms import DescriptionForm, MemberForm, RoleForm, ServiceAccountForm, TeamForm
from apps.core.actor import Role
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import admins_only, signed_in


@signed_in
@methods("GET")
def teams(request: ActorRequest) -> HttpResponse:
    """The teams one is in; all of them for administrators."""
    people = Count("memberships", filter=Q(memberships__user__is_service=False))
    found = Team.objects.visible_to(request.actor).annotate(people=people)
    rows = [(team, request.actor.role_in(team.pk)) for team in found]
    return settings_page(request, "teams", rows=rows)


@admins_only
@methods("GET", "POST")
def new_team(request: ActorRequest) -> HttpResponse:
    """Make a team."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            team = actions.create_team(request.actor, **form.cleaned_data)
            return done(request, _page_of(team))
    return dialog(request, form, title=_("New team"), submit=_("Create"))


@signed_in
@methods("GET")
def team(request: ActorRequest, name: str) -> HttpResponse:
    """Members, service accounts with their tokens, and what others share with the team."""
    found = access.get_team(request.actor, name)
    members = found.memberships.select_related("user").order_by("user__username")
    services = User.objects.filter(is_service=True, home_team=found).order_by("username")
    role = request.actor.role_in(found.pk)
    context: dict[str, Any] = {
        "team": found,
        "crumbs": [(_("Teams"), reverse("accounts:teams")), (found.name, "")],
        "role": role,
        "may_change": role is Role.ADMIN,
        "members": [member for member in members if not member.user.is_service],
        "services": [(service, _tokens_of(request, service)) for service in services]
        if role is Role.ADMIN
        else services,
        "grants": selectors.grants_held_by_team(found),
        "roles": list(Role),
    }
    return settings_page(request, "team", **context)


@signed_in
@methods("GET", "POST")
def describe_team(request: ActorRequest, name: str) -> HttpResponse:
    """Change what a team says of itself."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    form = DescriptionForm(request.POST or None, initial={"description": found.description})
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "description"):
            actions.describe_team(request.actor, team=found, description=form.cleaned_data["description"])
            return done(request, _page_of(found))
    return dialog(request, form, title=_("About %s") % found.name, submit=_("Save"))


@admins_only
@methods("POST")
def delete_team(request: ActorRequest, name: str) -> HttpResponse:
    """Remove a team that owns nothing."""
    found = access.get_team(request.actor, name)
    with errors_as_messages(request):
        actions.delete_team(request.actor, team=found)
        return said(request, _("The team %s is deleted.") % name, reverse("accounts:teams"))
    return done(request, _page_of(found))


@signed_in
@methods("GET", "POST")
def add_member(request: ActorRequest, name: str) -> HttpResponse:
    """Put somebody in the team."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "username"):
            user = access.find_person(request.actor, form.cleaned_data["username"])
            actions.add_member(request.actor, team=found, user=user, role=Role(form.cleaned_data["role"]))
            return done(request, _page_of(found))
    return dialog(request, form, title=_("Add to %s") % found.name, submit=_("Add"))


@signed_in
@methods("POST")
def set_role(request: ActorRequest, name: str, username: str) -> HttpResponse:
    """Give a member another role."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    user = access.get_user(request.actor, username)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        actions.set_role(request.actor, team=found, user=user, role=role)
        return said(request, _("%(who)s is %(role)s now.") % {"who": username, "role": role}, _page_of(found))
    return done(request, _page_of(found))


@signed_in
@methods("POST")
def remove_member(request: ActorRequest, name: str, username: str) -> HttpResponse:
    """Take somebody out of the team."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    user = access.get_user(request.actor, username)
    with errors_as_messages(request):
        actions.remove_member(request.actor, team=found, user=user)
        return said(request, _("%s is no longer in the team.") % username, _page_of(found))
    return done(request, _page_of(found))


@signed_in
@methods("GET", "POST")
def new_service_account(request: ActorRequest, name: str) -> HttpResponse:
    """Make an account for a machine, which the team owns."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    form = ServiceAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "username"):
            data = form.cleaned_data
            actions.create_user(
                request.actor,
                username=data["username"],
                password=None,
                is_service=True,
                team=found,
                role=Role(data["role"]),
            )
            return done(request, _page_of(found))
    lead = _("It has no password: it signs in by tokens, which admins of the team make.")
    return dialog(request, form, title=_("New service account"), submit=_("Create"), lead=lead)


@signed_in
@methods("POST")
def delete_service_account(request: ActorRequest, name: str, username: str) -> HttpResponse:
    """Remove a service account with its tokens."""
    found = access.get_team(request.actor, name, Role.ADMIN)
    user = access.get_service_account(request.actor, username)
    actions.delete_user(request.actor, user=user)
    return said(request, _("The service account %s is deleted.") % username, _page_of(found))


def _tokens_of(request: ActorRequest, service: User) -> list[Token]:
    return list(Token.objects.visible_to(request.actor).filter(user=service).select_related("team"))


def _page_of(found: Team) -> str:
    return reverse("accounts:team", args=[found.name])
