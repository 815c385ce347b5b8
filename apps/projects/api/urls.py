from __future__ import annotations

from django.urls import URLPattern, URLResolver

from apps.core.viewsets import ApiRouter
from apps.projects.api.views import archives, projects, runs, schedules

router = ApiRouter()
router.register("projects", projects.ProjectViewSet, basename="project")
router.register("project-archives", archives.ArchiveViewSet, basename="project-archive")
router.register("project-runs", runs.ProjectRunViewSet, basename="project-run")
router.register("schedules", schedules.ScheduleViewSet, basename="schedule")

urlpatterns: list[URLPattern | URLResolver] = list(router.urls)
