from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import access, actions
from apps.accounts.models import Token
from apps.accounts.tokens import TokenText
from apps.accounts.web.common import said, settings_page
from apps.accounts.web.forms import TokenForm
from apps.core.actor import Scope
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import dialog, errors_in, methods
from apps.core.rules import signed_in


@signed_in
@methods("GET")
def tokens(request: ActorRequest) -> HttpResponse:
    """One's own tokens."""
    own = Token.objects.visible_to(request.actor).filter(user_id=request.actor.user_id or 0)
    return settings_page(request, "tokens", tokens=own.select_related("team", "user"))


@signed_in
@methods("GET", "POST")
def new_token(request: ActorRequest) -> HttpResponse:
    """Make a token, one's own or with `?for=` that of a service account; it is shown this once."""
    owner = access.get_token_owner(request.actor, request.GET.get("for") or request.actor.username)
    form = TokenForm(owner, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with errors_in(form):
            scopes = [Scope(scope) for scope in data["scopes"]]
            more = {"team": data["team"], "scopes": scopes, "expires_at": form.expires_at()}
            token, text = actions.create_token(request.actor, user=owner, name=data["name"], **more)
            return _show_once(request, token, text)
    title = _("New API token") if owner.pk == request.actor.user_id else _("New token of %s") % owner.username
    return dialog(request, form, title=title, submit=_("Create"), action=request.get_full_path())


@signed_in
@methods("POST")
def rotate_token(request: ActorRequest, token_id: int) -> HttpResponse:
    """Replace a token; the old one goes on for a day."""
    token = access.get_token(request.actor, token_id)
    access.get_token_owner(request.actor, token.user.username)
    return _show_once(request, *actions.rotate_token(request.actor, token=token), replaced=token)


@signed_in
@methods("POST")
def revoke_token(request: ActorRequest, token_id: int) -> HttpResponse:
    """End a token at once."""
    token = access.get_token(request.actor, token_id)
    actions.revoke_token(request.actor, token=token)
    return said(request, _("The token “%s” is revoked.") % token.name, _list_of(token))


def _show_once(request: ActorRequest, token: Token, text: TokenText, replaced: Token | None = None) -> HttpResponse:
    template = "_token_created" if is_fragment(request) else "token_created"
    server = request.build_absolute_uri("/").rstrip("/")
    lines = f"export MLFLOW_TRACKING_URI={server}\nexport MLFLOW_TRACKING_TOKEN={text}\npython train.py"
    context = {"token": token, "text": str(text), "lines": lines, "replaced": replaced, "back": _list_of(token)}
    response = render(request, f"accounts/{template}.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _list_of(token: Token) -> str:
    """Where the token is listed."""
    if token.user.is_service and token.user.home_team:
        return reverse("accounts:team", args=[token.user.home_team.name])
    return reverse("accounts:tokens")
