from __future__ import annotations

from django.urls import URLPattern, URLResolver

from apps.core.viewsets import ApiRouter
from apps.projects.api.views import archives, builds, projects, queues, runs, schedules, secrets

router = ApiRouter()
router.register("projects", projects.ProjectViewSet, basename="project")
router.register("project-archives", archives.ArchiveViewSet, basename="project-archive")
router.register("project-runs", runs.ProjectRunViewSet, basename="project-run")
router.register("secrets", secrets.SecretViewSet, basename="secret")
router.register("schedules", schedules.ScheduleViewSet, basename="schedule")
router.register("builds", builds.BuildViewSet, basename="build")
router.register("queues", queues.QueueViewSet, basename="queue")
router.register("workers", queues.WorkerViewSet, basename="worker")
router.register("quotas", queues.QuotaViewSet, basename="quota")

urlpatterns: list[URLPattern | URLResolver] = list(router.urls)
