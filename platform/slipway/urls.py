"""The map of the whole site. Every view in it carries a rule; `tests/test_url_map.py` walks it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from apps.accounts.mlflow.urls import ROUTES as ACCOUNT_ROUTES
from apps.core.mlflow.routing import RouteTable
from apps.experiments.mlflow.urls import ROUTES as EXPERIMENT_ROUTES

PROTOCOL = RouteTable([*ACCOUNT_ROUTES, *EXPERIMENT_ROUTES])

API = [
    path("", include("apps.accounts.api.urls")),
    path("", include("apps.audit.api.urls")),
    path("", include("apps.experiments.api.urls")),
]

handler500 = "apps.core.views.server_error"

urlpatterns = [
    path("", include("apps.core.urls")),
    path("api/v1/", include((API, "api"))),
    # The artifact routes stream and have their own views; they come before the table.
    path("", include("apps.experiments.artifacts.urls")),
    re_path(r"^(?:ajax-)?api/(?P<route>[23]\.0/.*)$", PROTOCOL.view(), name="protocol"),
    path("", include("apps.accounts.web.urls")),
    path("", include("apps.audit.web.urls")),
    path("", include("apps.experiments.web.urls")),
    path("admin/", admin.site.urls),
    path("", include("allauth.account.urls")),
]
