"""The two gates. Both end in `enforce`: a view without a rule, or a caller without the right, goes no further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from apps.accounts import authentication
from apps.accounts.models import User
from apps.core.actor import Actor, Via
from apps.core.errors import DomainError, EndpointNotFound, NotSignedIn, PermissionDenied
from apps.core.http import error_response, is_api_path
from apps.core.middleware import answer_for
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
            if request.META.get("HTTP_AUTHORIZATION"):
                return self._run(request, authentication.actor_of_header(request))
            if settings.SESSION_COOKIE_NAME in request.COOKIES or settings.NO_LOGIN:
                return self.get_response(request)
            raise NotSignedIn
        except Exception as exception:
            answer = answer_for(request, exception)
            if answer is None:
                raise
            return answer

    def _run(self, request: HttpRequest, actor: Actor) -> HttpResponseBase:
        try:
            match = resolve(request.path_info)
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
        request.actor = _session_actor(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        try:
            enforce(view, request.actor)  # type: ignore[attr-defined]
        except DomainError as error:
            return answer_for(request, error) or error_response(error)
        return None


def _session_actor(request: HttpRequest) -> Actor | None:
    user = request.user
    if settings.NO_LOGIN and not isinstance(user, User):
        user = User.objects.filter(username=settings.ADMIN_USERNAME).first() or user
        request.user = user
    if not isinstance(user, User) or not user.is_active:
        return None
    actor = authentication.actor_of_user(user, Via.NO_LOGIN if settings.NO_LOGIN else Via.SESSION)
    named = request.headers.get(authentication.TEAM_HEADER, "")
    if named and is_api_path(request.path_info):
        return authentication.speaking_for_named_team(actor, named)
    chosen = request.session.get(SESSION_TEAM)
    if chosen is not None and (actor.is_admin or chosen in actor.roles):
        return actor.speaking_for(chosen)
    return actor


def _refuse_foreign_origin(request: HttpRequest) -> None:
    """A browser says where a call comes from; nothing but our own pages may write."""
    origin = request.META.get("HTTP_ORIGIN")
    if not origin or request.method in _SAFE_METHODS:
        return
    ours = {request.META.get("HTTP_HOST", ""), urlsplit(settings.PUBLIC_URL).netloc}
    if urlsplit(origin).netloc not in ours - {""}:
        raise PermissionDenied("Permission denied: the call comes from a page of another site.")
