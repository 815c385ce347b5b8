from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Scope
from apps.core.errors import InvalidInput
from apps.core.viewsets import ApiViewSet
from apps.registry import access, actions
from apps.registry.api.shapes import promotion as shapes
from apps.registry.api.shapes.slots import slot_of
from apps.registry.models import Override, Placement, PromotionRequest, RegisteredModel
from apps.registry.selectors import approvals, history
from apps.registry.selectors.requests import request_page

_VIEWS = {
    "all": approvals.all_for,
    "to_decide": approvals.to_decide,
    "asked": approvals.asked_by,
    "decided": approvals.decided_by,
}


class RequestViewSet(ApiViewSet):
    """Requests that versions enter stages or get aliases, and the decisions on them."""

    scope = Scope.REGISTRY
    queryset = PromotionRequest.objects.none()
    serializer_class = shapes.RequestPageShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.RequestQuery], responses=shapes.RequestLine(many=True))
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.RequestQuery)
        found = _VIEWS[asked["view"]](self.actor)
        columns = {"state": "state", "team": "version__model__team__name", "name": "version__model__name"}
        found = found.filter(**{column: asked[name] for name, column in columns.items() if name in asked})
        lines = approvals.lines_of(self.paginate_queryset(found) or [])
        return self.get_paginated_response(_lines(lines))

    def retrieve(self, request: Request, pk: str) -> Response:
        """With the evidence of its gates, the decisions, and what the caller may do."""
        return Response(shapes.RequestPageShape(request_page(self.actor, self._fetched(pk))).data)

    @extend_schema(request=shapes.Approval, responses=shapes.RequestShape)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Say yes; the last approval that is needed moves the version. 409 while a gate is not passed."""
        asked = self._fetched(pk)
        return _shown(actions.approve_request(self.actor, request=asked, **self.parsed(shapes.Approval)))

    @extend_schema(request=shapes.Word, responses=shapes.RequestShape)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Say no, which ends it."""
        asked = self._fetched(pk)
        return _shown(actions.reject_request(self.actor, request=asked, **self.parsed(shapes.Word)))

    @extend_schema(request=shapes.Withdrawal, responses=shapes.RequestShape)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take back what one asked for."""
        asked = self._fetched(pk)
        return _shown(actions.cancel_request(self.actor, request=asked, **self.parsed(shapes.Withdrawal)))

    def _fetched(self, pk: str) -> PromotionRequest:
        return access.get_request(self.actor, int(pk))


class HistoryViewSet(ApiViewSet):
    """What was in a model's stages and aliases, from when until when, by whom and why."""

    scope = Scope.REGISTRY
    queryset = Placement.objects.none()
    serializer_class = shapes.PlacementShape

    @extend_schema(parameters=[shapes.PlacementQuery])
    def list(self, request: Request) -> Response:
        """All of it, or of one stage or alias; with `at` or `at_ms` what was in place at that moment."""
        asked = self.parsed_query(shapes.PlacementQuery)
        slot = slot_of(asked) if "stage" in asked or "alias" in asked else None
        found = history.of_name(self.actor, asked["team"], asked["name"], slot, _moment(asked))
        answer = self.page(found)
        if not answer.data["results"]:
            self._require_known(asked["team"], asked["name"])
        return answer

    def _require_known(self, team: str, name: str) -> None:
        """Nothing was there then, or there is no such model: that is not the same."""
        models = RegisteredModel.objects.visible_to(self.actor).filter(team__name=team, name=name)
        if not models.exists() and not history.of_name(self.actor, team, name).exists():
            raise access.no_model(name)


class OverrideViewSet(ApiViewSet):
    """Moves past policies, for the administrators who review them."""

    scope = Scope.REGISTRY
    queryset = Override.objects.none()
    serializer_class = shapes.OverrideShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.OverrideQuery])
    def list(self, request: Request) -> Response:
        found = Override.objects.visible_to(self.actor).select_related("team")
        is_reviewed = self.parsed_query(shapes.OverrideQuery)["is_reviewed"]
        return self.page(found if is_reviewed is None else found.reviewed(is_reviewed))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.OverrideShape(access.get_override(self.actor, int(pk))).data)

    @extend_schema(request=shapes.Review, responses=shapes.OverrideShape)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Say, as somebody else than who did it, what one thinks of it."""
        override = access.get_override(self.actor, int(pk))
        done = actions.review_override(self.actor, override=override, **self.parsed(shapes.Review))
        return Response(shapes.OverrideShape(done).data)


def _moment(asked: dict[str, Any]) -> int | None:
    """In milliseconds since the epoch; None where no moment is asked for."""
    if "at" in asked and "at_ms" in asked:
        raise InvalidInput("Give 'at' or 'at_ms', not both.")
    return int(asked["at"].timestamp() * 1000) if "at" in asked else asked.get("at_ms")


def _lines(lines: Sequence[approvals.Line]) -> list[Any]:
    return [shapes.RequestLine(line).data for line in lines]


def _shown(request: PromotionRequest) -> Response:
    return Response(shapes.RequestShape(request).data)
