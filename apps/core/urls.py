from django.urls import path

from apps.core import views
from apps.core.openapi import DocsView, SchemaView

urlpatterns = [
    path("health", views.health, name="health"),
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("version", views.version, name="version"),
    path("metrics", views.metrics, name="metrics"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
]
