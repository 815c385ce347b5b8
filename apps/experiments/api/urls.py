from __future__ import annotations

from django.urls import URLPattern, URLResolver

from apps.core.viewsets import ApiRouter
from apps.experiments.api import views

router = ApiRouter()
router.register("experiments", views.ExperimentViewSet, basename="experiment")
router.register("runs", views.RunViewSet, basename="run")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
