from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.audit.web import views

app_name = "audit"
urlpatterns: list[URLPattern | URLResolver] = [
    path("audit/", views.event_list, name="event_list"),
    path("audit/export/", views.event_export, name="event_export"),
]
