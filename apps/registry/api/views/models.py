from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level, Scope
from apps.core.viewsets import ApiViewSet
from apps.registry import access, actions
from apps.registry.api.shapes import models as shapes
from apps.registry.api.shapes.promotion import PlacementShape, RequestShape, Rollback, RolledBackShape
from apps.registry.api.shapes.slots import slot_of
from apps.registry.models import Alias, Placement, RegisteredModel
from apps.registry.search.models import within_time
from apps.registry.selectors.models import models_matching, rows_of

NOTHING = {204: None}
NAME = r"[^/]{1,600}"


class ModelListViewSet(ApiViewSet):
    """Registered models of the team that the call speaks for, and what other teams granted."""

    scope = Scope.REGISTRY
    queryset = RegisteredModel.objects.none()
    serializer_class = shapes.ModelShape

    @extend_schema(parameters=[shapes.ModelQuery])
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.ModelQuery)
        text = asked.get("text", "")
        with within_time(text):
            found = models_matching(self.actor, text=text, stage=asked.get("stage", ""), prompts=asked["prompts"])
            rows = rows_of(self.paginate_queryset(found) or [])
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(request=shapes.NewModel, responses={201: shapes.ModelShape})
    def create(self, request: Request) -> Response:
        given = self.parsed(shapes.NewModel)
        tags = list(given["tags"].items())
        model = actions.create_model(self.actor, name=given["name"], description=given["description"], tags=tags)
        return _shown(model, 201)


class ModelViewSet(ApiViewSet):
    """A registered model by its team and name."""

    scope = Scope.REGISTRY
    queryset = RegisteredModel.objects.none()
    serializer_class = shapes.ModelShape
    lookup_field = "name"
    lookup_value_regex = NAME

    def retrieve(self, request: Request, team: str, name: str) -> Response:
        return _shown(access.get_model_in(self.actor, team, name))

    @extend_schema(request=shapes.ModelChange, responses=shapes.ModelShape)
    def partial_update(self, request: Request, team: str, name: str) -> Response:
        """Another description; another name wants the right to manage it."""
        given = self.parsed(shapes.ModelChange)
        model = access.get_model_in(self.actor, team, name, Level.MANAGE if "name" in given else Level.EDIT)
        with transaction.atomic():
            if given.get("name", model.name) != model.name:
                model = actions.rename_model(self.actor, model=model, name=given["name"])
            if "description" in given:
                model = actions.describe_model(self.actor, model=model, description=given["description"])
        return _shown(model)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, team: str, name: str) -> Response:
        """Delete it with all its versions, for good; not while a policy governs where one of them is."""
        actions.delete_model(self.actor, model=access.get_model_in(self.actor, team, name, Level.MANAGE))
        return Response(status=204)

    @extend_schema(request=Rollback, responses=RolledBackShape)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, team: str, name: str) -> Response:
        """Let what was in a slot before be there again: at once for those whom the policy lets, else as a request."""
        model = access.get_model_in(self.actor, team, name)
        given = self.parsed(Rollback)
        done = actions.roll_back(
            self.actor, model=model, slot=slot_of(given), reason=given["reason"], to=given.get("version")
        )
        placement = PlacementShape(done).data if isinstance(done, Placement) else None
        asked = None if isinstance(done, Placement) else RequestShape(done).data
        return Response({"placement": placement, "request": asked})


class AliasViewSet(ApiViewSet):
    """The aliases of a model."""

    scope = Scope.REGISTRY
    queryset = Alias.objects.none()
    serializer_class = shapes.AliasShape
    lookup_field = "alias"
    lookup_value_regex = NAME
    keyset = "name"

    def list(self, request: Request, team: str, name: str) -> Response:
        model = access.get_model_in(self.actor, team, name)
        return self.page(Alias.objects.filter(model=model).select_related("version"))

    @extend_schema(request=shapes.AliasChange, responses=shapes.AliasShape)
    def update(self, request: Request, team: str, name: str, alias: str) -> Response:
        """Let it point at a version. Past a policy, for those whom it lets, it wants a `reason`."""
        model = access.get_model_in(self.actor, team, name, Level.EDIT)
        given = self.parsed(shapes.AliasChange)
        version = access.version_of(model, given["version"])
        actions.set_alias(self.actor, model=model, alias=alias, version=version, reason=given["reason"])
        return Response(shapes.AliasShape(Alias(name=alias, version=version)).data)

    @extend_schema(parameters=[shapes.AliasRemoval], responses=NOTHING)
    def destroy(self, request: Request, team: str, name: str, alias: str) -> Response:
        model = access.get_model_in(self.actor, team, name, Level.EDIT)
        reason = self.parsed_query(shapes.AliasRemoval)["reason"]
        actions.delete_alias(self.actor, model=model, alias=alias, reason=reason)
        return Response(status=204)


def _shown(model: RegisteredModel, status: int = 200) -> Response:
    return Response(shapes.ModelShape(rows_of([model])[0]).data, status)
