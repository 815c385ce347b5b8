"""The map of the whole site. Every view in it carries a rule; `tests/test_url_map.py` walks it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from apps.core import views as core
from apps.core.mlflow.routing import RouteTable
from apps.experiments.mlflow.urls import ROUTES as EXPERIMENT_ROUTES

PROTOCOL = RouteTable([*EXPERIMENT_ROUTES])

urlpatterns = [
    re_path(r"^(?:ajax-)?api/(?P<route>[23]\.0/.*)$", PROTOCOL.view(), name="protocol"),
    path("health", core.health, name="health"),
    path("version", core.version, name="version"),
    path("admin/", admin.site.urls),
    path("", include("allauth.account.urls")),
]
