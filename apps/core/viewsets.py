from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from apps.core.actor import Actor, Scope
from apps.core.rules import Rule


class ApiViewSet(GenericViewSet[Any]):
    """What each view set has: a rule, a scope, the actor, and bodies that are parsed before an action is called."""

    rule = Rule.SIGNED_IN
    scope: ClassVar[Scope | None] = None
    # The actions that project runs reach with their tokens.
    by_runs: ClassVar[Collection[str]] = ()
    keyset = "-pk"

    @property
    def actor(self) -> Actor:
        """Who calls."""
        actor: Actor = self.request._request.actor  # type: ignore[attr-defined]
        return actor

    def parsed(self, serializer: type[BaseSerializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The typed values of the body. Raises DRF's `ValidationError` with the fields that are wrong."""
        reader = serializer(data=self.request.data, partial=partial)
        reader.is_valid(raise_exception=True)
        values: dict[str, Any] = reader.validated_data
        return values

    def parsed_query(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The typed values of the query string."""
        reader = serializer(data=self.request.query_params)
        reader.is_valid(raise_exception=True)
        values: dict[str, Any] = reader.validated_data
        return values

    def page(self, queryset: QuerySet[Any]) -> Response:
        """A page of `queryset` in the view's shape."""
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(queryset), many=True).data)


class ApiRouter(SimpleRouter):
    """Takes paths with and without the slash at the end; the description writes them with it."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
