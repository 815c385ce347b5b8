from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from apps.accounts import actions, passwords, sessions
from apps.accounts.authentication import actor_of_user
from apps.accounts.models import User
from apps.core.actor import Via
from apps.core.context import current_context

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Where allauth meets the house: nobody signs up, passwords are checked and throttled as everywhere else."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user = passwords.find_by_password(credentials.get("username") or "", credentials.get("password") or "")
        if user is not None:
            user.backend = _BACKEND
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        sessions.start(request.session)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        by = (kwargs.get("signal_kwargs") or {}).get("by", "password")
        actions.note_sign_in(actor_of_user(user, Via.SESSION), user=user, by=by)
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        return answer

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            actions.note_sign_out(actor_of_user(request.user, Via.SESSION), user=request.user)
        super().logout(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """As the rest of the house sees it; a Unix socket has none."""
        return current_context().ip or "127.0.0.1"
