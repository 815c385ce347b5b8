from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.viewsets import ApiViewSet
from apps.deployments import access
from apps.deployments.api.logs import log_answer
from apps.deployments.api.shapes import revisions as shapes
from apps.deployments.models import Instance, Revision
from apps.deployments.selectors.records import instances_of, revision_record, revision_records, revisions_of


def _header(name: str, kind: type, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=[200], description=text)


_LOG_HEADERS = [
    _header("X-Log-Start", int, "Where this answer begins, in bytes: older lines may not be kept."),
    _header("X-Log-Offset", int, "Where it ends."),
    _header("X-Log-Ended", bool, "Whether nothing comes after."),
]


class _Text(BaseRenderer):
    """For callers that ask for text alone; errors are JSON."""

    media_type = "text/plain"
    format = "txt"


class RevisionViewSet(ApiViewSet):
    """What a deployment serves and served: each revision a version with its configuration."""

    queryset = Revision.objects.none()
    serializer_class = shapes.RevisionShape
    lookup_field = "number"
    lookup_value_regex = r"\d{1,10}"
    keyset = "-number"

    def list(self, request: Request, name: str) -> Response:
        """Newest first."""
        deployment = access.get_deployment(self.actor, name)
        rows = revision_records(deployment, self.paginate_queryset(revisions_of(deployment)) or [])
        return self.get_paginated_response(shapes.RevisionShape(rows, many=True).data)

    def retrieve(self, request: Request, name: str, number: str) -> Response:
        deployment = access.get_deployment(self.actor, name)
        revision = access.get_revision(self.actor, deployment, number)
        return Response(shapes.RevisionShape(revision_record(deployment, revision)).data)


class InstanceViewSet(ApiViewSet):
    """What runs and ran of a deployment."""

    queryset = Instance.objects.none()
    serializer_class = shapes.InstanceShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.InstanceQuery])
    def list(self, request: Request, name: str) -> Response:
        """Newest first."""
        deployment = access.get_deployment(self.actor, name)
        asked = self.parsed_query(shapes.InstanceQuery)
        return self.page(instances_of(deployment, revision=asked.get("revision"), alive=asked["alive"]))

    def retrieve(self, request: Request, name: str, pk: str) -> Response:
        deployment = access.get_deployment(self.actor, name)
        return Response(shapes.InstanceShape(access.get_instance(self.actor, deployment, pk)).data)

    @extend_schema(
        parameters=[shapes.LogQuery, *_LOG_HEADERS], responses={(200, "text/plain"): OpenApiTypes.STR}, filters=False
    )
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, _Text], pagination_class=None)
    def log(self, request: Request, name: str, pk: str) -> HttpResponse:
        """What it wrote, from a byte on."""
        deployment = access.get_deployment(self.actor, name)
        return log_answer(self.actor, deployment, pk, **self.parsed_query(shapes.LogQuery))
