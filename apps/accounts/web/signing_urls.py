"""Sign-in and out, under the names that allauth looks for. Nothing else of allauth is routed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.accounts.web.views import signing

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", signing.login, name="account_login"),
    path("logout/", signing.logout, name="account_logout"),
    path("login/forgotten/", signing.forgotten_password, name="account_reset_password"),
]
