from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level, Scope
from apps.core.viewsets import ApiViewSet
from apps.registry import access, actions, gates
from apps.registry.api.shapes import checks as shapes
from apps.registry.models import Check, CheckState


class CheckViewSet(ApiViewSet):
    """What jobs outside (CI) reported of a version."""

    scope = Scope.REGISTRY
    queryset = Check.objects.none()
    serializer_class = shapes.CheckShape
    keyset = "-pk"

    def list(self, request: Request, team: str, name: str, number: str) -> Response:
        return self.page(Check.objects.filter(version=access.get_version_in(self.actor, team, name, number)))

    @extend_schema(request=shapes.NewCheck, responses={201: shapes.CheckShape})
    def create(self, request: Request, team: str, name: str, number: str) -> Response:
        """Report how a check went, in place of what the same account said of it before."""
        version = access.get_version_in(self.actor, team, name, number, Level.EDIT)
        given = self.parsed(shapes.NewCheck)
        state = CheckState(given.pop("state"))
        check = actions.report_check(self.actor, version=version, state=state, **given)
        return Response(shapes.CheckShape(check).data, 201)


class GateKindViewSet(ApiViewSet):
    """The kinds of gates that a policy may demand, with what they want to know."""

    scope = Scope.REGISTRY
    queryset = Check.objects.none()
    serializer_class = shapes.GateKindShape
    pagination_class = None

    def list(self, request: Request) -> Response:
        return Response(self.get_serializer(gates.offered(), many=True).data)
