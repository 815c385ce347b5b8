from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Scope
from apps.core.errors import UnsupportedMediaType
from apps.core.viewsets import ApiViewSet
from apps.experiments.artifacts.bodies import Body
from apps.projects import actions
from apps.projects.api.shapes.archives import ArchiveQuery, ArchiveShape
from apps.projects.models import Archive

_ZIPS = ("application/zip", "application/x-zip-compressed", "application/octet-stream")


class ArchiveViewSet(ApiViewSet):
    """Projects that are sent as zip files."""

    scope = Scope.PROJECTS
    by_runs = ("create",)
    queryset = Archive.objects.none()
    serializer_class = ArchiveShape

    @extend_schema(
        parameters=[ArchiveQuery],
        request={"application/zip": OpenApiTypes.BINARY},
        responses={200: ArchiveShape, 201: ArchiveShape},
    )
    def create(self, request: Request) -> Response:
        """Send a zip that holds an MLproject, as the body. 200 where the team has the same content already.

        Nothing is kept of one that is refused: too large, over the team's quota (413), hostile, or no project.
        """
        if request.content_type.partition(";")[0] not in _ZIPS:
            raise UnsupportedMediaType("The body has to be a zip file, of the type application/zip.")
        asked = self.parsed_query(ArchiveQuery)
        body = Body(request._request)
        kept = actions.keep_archive(self.actor, source=body, length=body.length, name=asked["name"])
        return Response(ArchiveShape(kept.archive).data, 201 if kept.is_new else 200)
