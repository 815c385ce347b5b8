from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level, Scope
from apps.core.viewsets import ApiViewSet
from apps.projects import access, actions
from apps.projects.api.logs import log_answer
from apps.projects.api.shapes import runs as shapes
from apps.projects.api.starting import request_key_of, start_again, start_asked
from apps.projects.models import ProjectRun
from apps.projects.selectors.runs import Wanted, runs_matching

_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Asked twice under the same key, one run is queued."
)
_LOG_HEADERS = [
    OpenApiParameter(
        "X-Log-Offset", int, OpenApiParameter.HEADER, response=[200], description="Where this answer ends, in bytes."
    ),
    OpenApiParameter(
        "X-Log-Ended", bool, OpenApiParameter.HEADER, response=[200], description="Whether nothing comes after."
    ),
]


class _Text(BaseRenderer):
    """For callers that ask for text alone; errors are JSON."""

    media_type = "text/plain"
    format = "txt"


class ProjectRunViewSet(ApiViewSet):
    """Runs of projects: queued, going on, and ended."""

    scope = Scope.PROJECTS
    by_runs = ("list", "retrieve", "create", "cancel", "log")
    queryset = ProjectRun.objects.none()
    serializer_class = shapes.ProjectRunPageShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.RunQuery], responses=shapes.ProjectRunShape(many=True))
    def list(self, request: Request) -> Response:
        """Newest first, of the team that the call speaks for, and of projects that were granted."""
        asked = self.parsed_query(shapes.RunQuery)
        owner = asked.pop("owner", None)
        found = runs_matching(self.actor, Wanted(**asked))
        if owner is not None:
            found = found.filter(owner_name=owner)
        rows = self.paginate_queryset(found) or []
        return self.get_paginated_response(shapes.ProjectRunShape(rows, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(pk)

    @extend_schema(parameters=[_KEY], request=shapes.NewRun, responses={201: shapes.ProjectRunPageShape})
    def create(self, request: Request) -> Response:
        """Queue a run; workers of its queue take it."""
        key = request_key_of(request.headers.get("Idempotency-Key"))
        return self._shown(start_asked(self.actor, self.parsed(shapes.NewRun), key).pk, 201)

    @extend_schema(request=shapes.Cancellation, responses=shapes.ProjectRunPageShape)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End it: at once where it waits, else its worker kills all it started. 409 where it has ended."""
        run = access.get_project_run(self.actor, pk, Level.EDIT)
        actions.cancel_run(self.actor, run=run, **self.parsed(shapes.Cancellation))
        return self._shown(pk)

    @extend_schema(parameters=[_KEY], request=shapes.RepeatedRun, responses={201: shapes.ProjectRunPageShape})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Queue it once more, with the same files, and with what the body asks otherwise."""
        key = request_key_of(request.headers.get("Idempotency-Key"))
        run = access.get_project_run(self.actor, pk)
        return self._shown(start_again(self.actor, run, self.parsed(shapes.RepeatedRun), key).pk, 201)

    @extend_schema(
        parameters=[shapes.LogQuery, *_LOG_HEADERS], responses={(200, "text/plain"): OpenApiTypes.STR}, filters=False
    )
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, _Text], pagination_class=None)
    def log(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The log from a byte on, each line with its time: `2026-11-30T06:40:58.123Z the text`."""
        return log_answer(self.actor, pk, **self.parsed_query(shapes.LogQuery))

    def _shown(self, pk: str | int, status: int = 200) -> Response:
        return Response(shapes.ProjectRunPageShape(access.get_project_run(self.actor, pk)).data, status)
