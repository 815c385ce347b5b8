from __future__ import annotations

from django.urls import URLPattern, URLResolver

from apps.audit.api import views
from apps.core.viewsets import ApiRouter

router = ApiRouter()
router.register("audit-events", views.EventViewSet, basename="event")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
