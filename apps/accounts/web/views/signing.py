from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, LogoutView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.accounts.access import get_team_by_id
from apps.accounts.middleware import SESSION_TEAM
from apps.accounts.web.common import local_path
from apps.core.errors import NotFound, PermissionDenied, TooManyRequests
from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import open_to_all, signed_in


class ThrottledLoginView(LoginView):  # type: ignore[misc]
    """allauth's sign-in, with our page for somebody who has to wait, and without passwords where none are taken."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "company": settings.OIDC}

    def get_form(self, form_class: Any = None) -> Any:
        """Without words in the fields: their labels stand above them."""
        form = super().get_form(form_class)
        for field in form.fields.values():
            field.widget.attrs.pop("placeholder", None)
        return form

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if not settings.PASSWORD_SIGN_IN:
                raise PermissionDenied(_("This server takes no passwords."))
            answer: HttpResponse = super().post(request, *args, **kwargs)
        except (TooManyRequests, PermissionDenied) as error:
            context = self.get_context_data(form=self.get_form_class()(request=request), refused=error.message)
            answer = render(request, "account/login.html", context, status=error.status)
            for name, value in error.headers.items():
                answer[name] = value
        return answer


login = open_to_all(ThrottledLoginView.as_view())
logout = open_to_all(LogoutView.as_view())


@open_to_all
@methods("GET")
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Nothing is mailed: who can help, and how."""
    return render(request, "account/password_reset.html")


@signed_in
@methods("POST")
def switch_team(request: ActorRequest) -> HttpResponse:
    """Let the pages speak for another team."""
    chosen = request.POST.get("team", "")
    if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
        raise NotFound("Team not found.")
    team = get_team_by_id(request.actor, int(chosen))
    request.session[SESSION_TEAM] = team.pk
    return redirect(local_path(request, request.POST.get("next", "")))
