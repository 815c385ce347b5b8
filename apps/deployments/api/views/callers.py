from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.actor import Actor, Scope
from apps.core.rules import Rule
from apps.deployments.callers import require_caller


class CallerShape(serializers.Serializer[Any]):
    """Somebody who may call."""

    username = serializers.CharField()


class CallerView(APIView):
    """Whether the credentials may call a model that is served beside this server: 200, else 401, 403 or 404."""

    rule = Rule.SIGNED_IN
    scope = Scope.SERVE

    @extend_schema(
        parameters=[OpenApiParameter("files", str, description="The address of the model's files; none: no one's.")],
        responses=CallerShape,
        operation_id="me_serving",
    )
    def get(self, request: Request) -> Response:
        actor: Actor = request._request.actor  # type: ignore[attr-defined]
        require_caller(actor, files=request.query_params.get("files", ""))
        return Response(CallerShape({"username": actor.username}).data)
