"""Sign-in and out, under the names that allauth looks for. Nothing else of allauth is routed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.accounts.oidc.config import CALLBACK_PATH, START_PATH
from apps.accounts.web.views import entering, signing

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", signing.login, name="account_login"),
    path("logout/", signing.logout, name="account_logout"),
    path("login/forgotten/", signing.forgotten_password, name="account_reset_password"),
    path(START_PATH.lstrip("/"), entering.to_provider, name="sign_in_to_provider"),
    path(CALLBACK_PATH.lstrip("/"), entering.from_provider, name="sign_in_from_provider"),
    path("login/link/<str:text>/", entering.by_link, name="sign_in_by_link"),
]
