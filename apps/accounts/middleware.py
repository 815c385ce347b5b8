"""The two gates. Both end in `enforce`: a view without a rule, or a caller without the right, goes no further."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, get_urlconf, resolve
from rest_framework.authentication import CSRFCheck

from apps.accounts import authentication, sessions
from apps.accounts.models import User
from apps.core.actor import Actor, Via
from apps.core.errors import DomainError, EndpointNotFound, NotSignedIn, PermissionDenied
from apps.core.http import error_response, is_api_path
from apps.core.middleware import answer_for, is_loopback
from apps.core.rules import enforce

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_TEAM = "team_id"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class ApiGateMiddleware:
    """Runs API calls that carry credentials at once, past sessions, cookies and CSRF; refuses those that carry none.

    A call with a session cookie (our own pages) goes the long way, where CSRF is checked.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api_path(request.path_info):
            return self.get_response(request)
        try:
            _refuse_foreign_origin(request)
            if settings.NO_LOGIN:
                _refuse_distant_caller(request)
                return self._run(request, _no_login_actor(request))
            if request.META.get("HTTP_AUTHORIZATION"):
                return self._run(request, authentication.actor_of_header(request))
            if settings.SESSION_COOKIE_NAME in request.COOKIES:
                return self.get_response(request)
            raise NotSignedIn
        except Exception as exception:
            answer = answer_for(request, exception)
            if answer is None:
                raise
            return answer

    def _run(self, request: HttpRequest, actor: Actor) -> HttpResponseBase:
        try:
            match = _resolved(request.path_info, get_urlconf())
        except Resolver404 as error:
            raise EndpointNotFound("No such route on this server.") from error
        request.actor = actor  # type: ignore[attr-defined]
        request.user = AnonymousUser()
        request.resolver_match = match
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        enforce(match.func, actor)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if callable(render := getattr(response, "render", None)):
            response = render()
        return response


class ActorMiddleware:
    """The gate of pages: the actor of the session, and the rule of the view."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.actor = _page_actor(request)  # type: ignore[attr-defined]
        except DomainError as error:
            return answer_for(request, error) or error_response(error)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        try:
            enforce(view, request.actor)  # type: ignore[attr-defined]
            _check_csrf(request, view)
        except DomainError as error:
            return answer_for(request, error) or error_response(error)
        return None


@lru_cache(maxsize=1024)
def _resolved(path: str, urlconf: str | None) -> ResolverMatch:
    """The view of a path. Scripts call a few paths over and over, and Django tries one pattern after the other."""
    return resolve(path, urlconf)


def _page_actor(request: HttpRequest) -> Actor | None:
    if not settings.NO_LOGIN:
        return _session_actor(request)
    _refuse_distant_caller(request)
    user = authentication.no_login_user()
    if user is None:
        return None
    request.user = user
    return _for_chosen_team(request, authentication.actor_of_user(user, Via.NO_LOGIN))


def _session_actor(request: HttpRequest) -> Actor | None:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    if sessions.is_over(request.session):
        request.session.flush()
        request.user = AnonymousUser()
        return None
    sessions.note_use(request.session)
    actor = authentication.actor_of_user(user, Via.SESSION)
    named = authentication.named_team(request)
    if named and is_api_path(request.path_info):
        return authentication.speaking_for_named_team(actor, named)
    return _for_chosen_team(request, actor)


def _for_chosen_team(request: HttpRequest, actor: Actor) -> Actor:
    chosen = request.session.get(SESSION_TEAM)
    if isinstance(chosen, int) and actor.role_in(chosen) is not None:
        return actor.speaking_for(chosen)
    return actor


def _no_login_actor(request: HttpRequest) -> Actor:
    actor = authentication.no_login_actor()
    return authentication.speaking_for_named_team(actor, authentication.named_team(request))


def _check_csrf(request: HttpRequest, view: Callable[..., Any]) -> None:
    """DRF switches Django's check off for its views; with a session in hand it has to be made all the same."""
    if settings.NO_LOGIN or request.method in _SAFE_METHODS or not getattr(view, "csrf_exempt", False):
        return
    check = CSRFCheck(lambda _: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, HttpResponse, (), {})
    if reason:
        raise PermissionDenied(f"Permission denied: CSRF check failed: {reason}")


def _refuse_foreign_origin(request: HttpRequest) -> None:
    """A browser says where a call comes from; nothing but our own pages may write."""
    origin = request.META.get("HTTP_ORIGIN")
    if not origin or (request.method in _SAFE_METHODS and not settings.NO_LOGIN):
        return
    ours = {request.META.get("HTTP_HOST", ""), urlsplit(settings.PUBLIC_URL).netloc}
    if _host_of(origin) not in ours - {""}:
        raise PermissionDenied("Permission denied: the call comes from a page of another site.")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _refuse_distant_caller(request: HttpRequest) -> None:
    """Without a login, only this machine is answered, however the port came to be reachable."""
    _refuse_foreign_origin(request)
    address = request.META.get("REMOTE_ADDR", "")
    if address and not is_loopback(address):
        raise PermissionDenied("Permission denied: a server without a login answers this machine only.")
