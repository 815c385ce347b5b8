from __future__ import annotations

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from apps.audit.api import views

router = SimpleRouter()
router.register("audit-events", views.EventViewSet, basename="event")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
