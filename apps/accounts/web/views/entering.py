"""The ways in beside the password: the provider of a company, and links that a command makes."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable
from functools import wraps

from allauth.account.utils import perform_login
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from apps.accounts import actions, sign_in_links, throttling
from apps.accounts.models import User
from apps.accounts.oidc import provider
from apps.accounts.oidc.config import OidcConfig
from apps.accounts.oidc.failures import SignInFailed, SignInRefused
from apps.accounts.web.common import local_path
from apps.core.actor import system_actor
from apps.core.context import current_context
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.pages import methods
from apps.core.rules import open_to_all

logger = logging.getLogger("slipway.sign_in")

_NEXT = "next"
View = Callable[[HttpRequest, OidcConfig], HttpResponseBase]


def _of_provider(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """A step of the way to the provider and back, which is there where one is set up; failures are one page."""

    @wraps(view)
    def step(request: HttpRequest) -> HttpResponseBase:
        config: OidcConfig | None = settings.OIDC
        if config is None:
            raise NotFound("Not found.")
        try:
            return view(request, config)
        except (SignInFailed, Conflict) as error:
            cause = error.__cause__ or "no cause besides"
            logger.warning("sign-in: %s (%s; %s)", error.message, cause, current_context().request_id)
            return _failed(request, config, error)

    return step


@open_to_all
@methods("GET")
@never_cache
@_of_provider
def to_provider(request: HttpRequest, config: OidcConfig) -> HttpResponseBase:
    """Off to the provider. A link and no form: the security policy would hold up a form that leads elsewhere."""
    if not request.user.is_authenticated:
        # It is of no use after: who never comes back leaves no rows for weeks.
        request.session.set_expiry(provider.STATE_SECONDS)
    return provider.begin(request, config, next_url=local_path(request, request.GET.get(_NEXT, "")))


@open_to_all
@methods("GET")
@never_cache
@_of_provider
def from_provider(request: HttpRequest, config: OidcConfig) -> HttpResponseBase:
    """Back from the provider: signed in, or told why not."""
    identity, next_url = provider.finish(request, config)
    user = actions.admit_identity(system_actor("openid-connect"), identity=identity, config=config)
    return _enter(request, user, by=config.issuer, next_url=local_path(request, next_url))


@open_to_all
@methods("GET", "POST")
@never_cache
def by_link(request: HttpRequest, text: str) -> HttpResponseBase:
    """A link of `slipway user sign-in-link`. A button uses it up: what looks at links by itself only opens it."""
    user = sign_in_links.find_user(text)
    if user is not None and request.method == "POST":
        user = actions.use_sign_in_link(text=text)
        return _enter(request, user, by="link", next_url="/")
    if user is None:
        throttling.note_wrong_token(current_context().ip)
    return render(request, "account/sign_in_link.html", {"user": user}, status=200 if user else 404)


def _failed(request: HttpRequest, config: OidcConfig, error: DomainError) -> HttpResponse:
    context: dict[str, object] = {"error": error, "company": config, "request_id": current_context().request_id}
    if isinstance(error, SignInRefused) and error.subject:
        context["link_command"] = f"slipway user link NAME {shlex.quote(error.subject)}"
    return render(request, "account/sign_in_failed.html", context, status=error.status)


def _enter(request: HttpRequest, user: User, *, by: str, next_url: str) -> HttpResponse:
    answer: HttpResponse = perform_login(request, user, redirect_url=next_url, signal_kwargs={"by": by})
    return answer
