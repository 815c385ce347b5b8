"""The map of the whole site. Every view in it carries a rule; `tests/test_url_map.py` walks it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from apps.accounts.mlflow.urls import ROUTES as ACCOUNT_ROUTES
from apps.core.mlflow.routing import RouteTable
from apps.core.mlflow.server_info import ROUTES as SERVER_ROUTES
from apps.core.rules import Rule, guard, open_to_all, signed_in
from apps.experiments.mlflow.urls import ROUTES as EXPERIMENT_ROUTES
from apps.notifications.mlflow.urls import ROUTES as NOTIFICATION_ROUTES
from apps.registry.mlflow.databricks import ROUTES as DATABRICKS_ROUTES
from apps.registry.mlflow.urls import ROUTES as REGISTRY_ROUTES

PROTOCOL = RouteTable(
    [*SERVER_ROUTES, *ACCOUNT_ROUTES, *EXPERIMENT_ROUTES, *REGISTRY_ROUTES, *DATABRICKS_ROUTES, *NOTIFICATION_ROUTES]
)

API = [
    path("", include("apps.accounts.api.urls")),
    path("", include("apps.audit.api.urls")),
    path("", include("apps.notifications.api.urls")),
    path("", include("apps.experiments.api.urls")),
    path("", include("apps.registry.api.urls")),
    path("", include("apps.projects.api.urls")),
    path("", include("apps.deployments.api.urls")),
]

admin.site.site_title = admin.site.site_header = "Slipway"

handler500 = "apps.core.views.server_error"

urlpatterns = [
    path("", include("apps.core.urls")),
    path("api/v1/", include((API, "api"))),
    # The artifact routes stream and have their own views; they come before the table.
    path("", include("apps.experiments.artifacts.urls")),
    path("", include("apps.registry.mlflow.files")),
    # One of the protocol's paths begins with `2.0mlflow`, without a slash.
    re_path(r"^(?:ajax-)?api/(?P<route>[23]\.0(?:/|mlflow/).*)$", PROTOCOL.view(), name="protocol"),
    path("", include("apps.accounts.web.urls")),
    path("", include("apps.audit.web.urls")),
    path("", include("apps.notifications.web.urls")),
    path("", include("apps.experiments.web.urls")),
    path("", include("apps.registry.web.urls")),
    path("", include("apps.projects.web.urls")),
    path("", include("apps.deployments.web.urls")),
    path("", include("apps.accounts.web.signing_urls")),
    # Of Django's admin, not its own sign-in, sign-out and password pages: ours are throttled and recorded.
    path("admin/login/", open_to_all(RedirectView.as_view(pattern_name="account_login", query_string=True))),
    path("admin/logout/", open_to_all(RedirectView.as_view(pattern_name="account_logout"))),
    path("admin/password_change/", signed_in(RedirectView.as_view(pattern_name="accounts:profile"))),
    path("admin/", (guard(admin.site.get_urls(), Rule.ADMIN), "admin", "admin")),
]
