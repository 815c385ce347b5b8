from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from apps.core.viewsets import ApiRouter
from apps.deployments.api import export
from apps.deployments.api.views import deployments, revisions
from apps.deployments.api.views.callers import CallerView

_DEPLOYMENT = f"deployments/(?P<name>{deployments.NAME})"

_VERSION = r"models/(?P<team>[^/]+)/(?P<name>[^/]+)/versions/(?P<number>\d{1,10})"

router = ApiRouter()
router.register(
    rf"{_DEPLOYMENT}/revisions/(?P<number>\d{{1,10}})/export", export.RevisionExportViewSet, basename="revision-export"
)
router.register(f"{_VERSION}/export", export.VersionExportViewSet, basename="version-export")
router.register(f"{_DEPLOYMENT}/revisions", revisions.RevisionViewSet, basename="deployment-revision")
router.register(f"{_DEPLOYMENT}/instances", revisions.InstanceViewSet, basename="deployment-instance")
router.register("deployments", deployments.DeploymentViewSet, basename="deployment")

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^me/serving/?$", CallerView.as_view(), name="me_serving"),
    *router.urls,
]
