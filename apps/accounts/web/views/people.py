from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import access, actions
from apps.accounts.models import User
from apps.accounts.web.common import errors_as_messages, of_passwords, said, settings_page
from apps.accounts.web.forms import NewPasswordForm, PersonForm
from apps.core.actor import Role
from apps.core.http import ActorRequest
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import admins_only

_PAGE = 50


@admins_only
@methods("GET")
def people(request: ActorRequest) -> HttpResponse:
    """Everybody on this server."""
    found = User.objects.visible_to(request.actor).filter(is_service=False).prefetch_related("memberships__team")
    search = request.GET.get("q", "").replace("\x00", "").strip()[:150]
    if search:
        found = found.filter(username__icontains=search)
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return settings_page(request, "people", page=page, search=search)


@admins_only
@methods("GET", "POST")
def new_person(request: ActorRequest) -> HttpResponse:
    """Make an account."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = {"password": None, **form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        with errors_in(form):
            actions.create_user(request.actor, **data)
            return done(request, reverse("accounts:people"))
    return dialog(request, form, title=_("New user"), submit=_("Create"))


@admins_only
@methods("GET", "POST")
@of_passwords
def set_password(request: ActorRequest, username: str) -> HttpResponse:
    """Set somebody's password, who is then signed out everywhere."""
    user = access.get_user(request.actor, username)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "password"):
            actions.change_password(request.actor, user=user, password=form.cleaned_data["password"])
            return done(request, reverse("accounts:people"))
    return dialog(request, form, title=_("New password of %s") % username, submit=_("Set"))


@admins_only
@methods("POST")
def set_active(request: ActorRequest, username: str) -> HttpResponse:
    """Disable or enable an account."""
    user = access.get_user(request.actor, username)
    is_active = request.POST.get("active") == "yes"
    with errors_as_messages(request):
        actions.set_active(request.actor, user=user, is_active=is_active)
        text = _("%s may sign in again.") if is_active else _("%s is disabled.")
        return said(request, text % username, reverse("accounts:people"))
    return done(request, reverse("accounts:people"))


@admins_only
@methods("POST")
def set_admin(request: ActorRequest, username: str) -> HttpResponse:
    """Make somebody an administrator, or no longer one."""
    user = access.get_user(request.actor, username)
    is_admin = request.POST.get("admin") == "yes"
    with errors_as_messages(request):
        actions.set_admin(request.actor, user=user, is_admin=is_admin)
        text = _("%s administers the site now.") if is_admin else _("%s no longer administers the site.")
        return said(request, text % username, reverse("accounts:people"))
    return done(request, reverse("accounts:people"))


@admins_only
@methods("POST")
def delete_person(request: ActorRequest, username: str) -> HttpResponse:
    """Remove an account; what it made stays."""
    user = access.get_user(request.actor, username)
    with errors_as_messages(request):
        actions.delete_user(request.actor, user=user)
        return said(request, _("The user %s is deleted.") % username, reverse("accounts:people"))
    return done(request, reverse("accounts:people"))
