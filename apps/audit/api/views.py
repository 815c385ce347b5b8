from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit.access import get_event
from apps.audit.api.serializers import EventShape
from apps.audit.exports import export
from apps.audit.filters import EventFilter, filtered
from apps.audit.models import Event
from apps.audit.querysets import EventQuerySet
from apps.core.viewsets import ApiViewSet

_FILTERS = [
    OpenApiParameter(name, OpenApiTypes.DATETIME if name in ("since", "until") else str, description=str(field.label))
    for name, field in EventFilter.base_filters.items()
]
_FORMAT = OpenApiParameter("format", str, enum=["jsonl", "csv"], default="jsonl")


class EventViewSet(ApiViewSet):
    """The audit log: all of it for administrators, else what one did and what happened in teams one maintains."""

    queryset = Event.objects.none()
    serializer_class = EventShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=_FILTERS)
    def list(self, request: Request) -> Response:
        return self.page(self._found())

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(EventShape(get_event(self.actor, int(pk))).data)

    @extend_schema(parameters=[*_FILTERS, _FORMAT], responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY})
    @action(detail=False)
    def export(self, request: Request) -> HttpResponseBase:
        """All events that match, as a file."""
        return export(self._found(), request.query_params.get("format", "jsonl"))

    def _found(self) -> EventQuerySet:
        return filtered(Event.objects.visible_to(self.actor), self.request._request.GET).with_sequence()
