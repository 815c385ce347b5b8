from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

app_name = "registry"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.registry.web.model_urls")),
    path("", include("apps.registry.web.approval_urls")),
]
