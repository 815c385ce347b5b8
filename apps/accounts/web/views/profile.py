from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.accounts import access, actions
from apps.accounts.models import User
from apps.accounts.passwords import find_by_password
from apps.accounts.sessions import browser_named
from apps.accounts.web.common import of_passwords, said, settings_page
from apps.accounts.web.forms import OwnPasswordForm, ProfileForm
from apps.core.actor import Via
from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest
from apps.core.pages import REFUSED, dialog, done, errors_in, methods
from apps.core.rules import signed_in

_HOME = "/settings/"


@signed_in
@methods("GET", "POST")
def profile(request: ActorRequest) -> HttpResponse:
    """Names and mail, the password, and the browsers that are signed in."""
    user = access.get_account(request.actor, request.actor.username)
    initial = {"first_name": user.first_name, "last_name": user.last_name, "email": user.email}
    form = ProfileForm(request.POST or None, initial=initial)
    if actions.is_email_fixed() and not request.actor.is_admin:
        form.fix_email()
    if request.method == "POST" and form.is_valid():
        with errors_in(form):
            actions.change_profile(request.actor, user=user, **form.cleaned_data)
            return said(request, _("Saved."), _HOME)
    found = UserSession.objects.filter(user=user).order_by("-last_seen_at")
    sessions = [(session, browser_named(session.user_agent)) for session in found]
    shown = {"form": form, "user": user, "sessions": sessions, "this_session": request.session.session_key}
    return settings_page(request, "profile", REFUSED if form.errors else 200, **shown)


@signed_in
@methods("GET", "POST")
@of_passwords
def password(request: ActorRequest) -> HttpResponse:
    """A new password; all other browsers are signed out."""
    user = access.get_account(request.actor, request.actor.username)
    form = OwnPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _change(request, user, form):
        messages.success(request, _("The password is changed, and your other browsers are signed out."))
        return done(request, _HOME)
    lead = _("Your other browsers are signed out. API tokens stay.")
    return dialog(request, form, title=_("Change the password"), submit=_("Change"), lead=lead)


@signed_in
@methods("POST")
def end_session(request: ActorRequest, session_id: int) -> HttpResponse:
    """Sign one browser out."""
    session = access.get_session(request.actor, session_id)
    actions.end_session(request.actor, session=session)
    return said(request, _("That browser is signed out."), _HOME)


@signed_in
@methods("POST")
def end_other_sessions(request: ActorRequest) -> HttpResponse:
    """Sign every other browser out."""
    user = access.get_account(request.actor, request.actor.username)
    actions.end_other_sessions(request.actor, user=user, keep=request.session.session_key or "")
    return said(request, _("Your other browsers are signed out."), _HOME)


def _change(request: ActorRequest, user: User, form: OwnPasswordForm) -> bool:
    with errors_in(form, "current"):
        if find_by_password(user.username, form.cleaned_data["current"]) is None:
            raise InvalidInput(_("This is not your password."))
    if not form.errors:
        with errors_in(form, "password"):
            kept = request.session.session_key or ""
            actions.change_password(request.actor, user=user, password=form.cleaned_data["password"], keep_session=kept)
    if form.errors:
        return False
    if request.actor.via is Via.SESSION:
        UserSession.objects.filter(session_key=request.session.session_key).delete()
        update_session_auth_hash(request, user)
        UserSession.objects.create_from_request(request)
    return True
