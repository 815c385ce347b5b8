"""Bundles of what a deployment serves, and of versions that nobody deployed."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from apps.core.viewsets import ApiViewSet
from apps.deployments import access, exports
from apps.deployments.models import Revision
from apps.deployments.targets.export import ExportKind
from apps.registry import access as registry
from apps.registry.models import ModelVersion

_KIND = OpenApiParameter("kind", str, enum=[kind.value for kind in ExportKind], default=ExportKind.DOCKER.value)
_ZIP = {(200, "application/zip"): OpenApiTypes.BINARY}


class _Zip(BaseRenderer):
    """For callers that ask for the archive alone; errors are JSON."""

    media_type = "application/zip"
    format = "zip"


class _ExportViewSet(ApiViewSet):
    renderer_classes = [JSONRenderer, _Zip]
    pagination_class = None
    filter_backends = []

    def kind(self) -> ExportKind:
        """What is asked for."""
        return exports.kind_of(self.request.query_params.get("kind", ExportKind.DOCKER.value))


class RevisionExportViewSet(_ExportViewSet):
    """A revision for another place."""

    queryset = Revision.objects.none()

    @extend_schema(parameters=[_KIND], responses=_ZIP)
    def list(self, request: Request, name: str, number: str) -> StreamingHttpResponse:
        """A zip archive of an image's files, with what the place wants beside. Values of variables are not in it."""
        kind = self.kind()
        deployment = access.get_deployment(self.actor, name)
        revision = access.get_revision(self.actor, deployment, number)
        return exports.answer_with(exports.export_revision(self.actor, revision, kind))


class VersionExportViewSet(_ExportViewSet):
    """A version for another place."""

    queryset = ModelVersion.objects.none()

    @extend_schema(parameters=[_KIND], responses=_ZIP)
    def list(self, request: Request, team: str, name: str, number: str) -> StreamingHttpResponse:
        """The same of a version that nobody has to have deployed, with the usual settings."""
        kind = self.kind()
        version = registry.get_version_in(self.actor, team, name, number)
        return exports.answer_with(exports.export_version(version, kind))
