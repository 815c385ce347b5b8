from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Actor, Level, Scope
from apps.core.viewsets import ApiViewSet
from apps.registry import access, actions
from apps.registry.api.shapes import models as shapes
from apps.registry.api.shapes.promotion import NewRequest, RequestShape
from apps.registry.api.shapes.slots import slot_of
from apps.registry.api.views.models import NOTHING
from apps.registry.models import Comment, ModelVersion
from apps.registry.selectors.lineage import lineage_of
from apps.registry.selectors.versions import rows_of, versions_of


class VersionViewSet(ApiViewSet):
    """The versions of a model."""

    scope = Scope.REGISTRY
    # A project run asks; the protocol has no word for asking about an alias.
    by_runs = ("requests",)
    queryset = ModelVersion.objects.none()
    serializer_class = shapes.VersionShape
    lookup_field = "number"
    lookup_value_regex = r"\d{1,10}"
    keyset = "-number"

    @extend_schema(parameters=[shapes.VersionQuery])
    def list(self, request: Request, team: str, name: str) -> Response:
        model = access.get_model_in(self.actor, team, name)
        asked = self.parsed_query(shapes.VersionQuery)
        found = self.paginate_queryset(versions_of(model, stage=asked.get("stage", ""))) or []
        return self.get_paginated_response(self.get_serializer(rows_of(self.actor, model, found), many=True).data)

    @extend_schema(request=shapes.NewVersion, responses={201: shapes.VersionShape})
    def create(self, request: Request, team: str, name: str) -> Response:
        model = access.get_model_in(self.actor, team, name, Level.EDIT)
        given = self.parsed(shapes.NewVersion)
        version = actions.create_version(self.actor, model=model, **(given | {"tags": list(given["tags"].items())}))
        return _shown(self.actor, version, 201)

    def retrieve(self, request: Request, team: str, name: str, number: str) -> Response:
        return _shown(self.actor, access.get_version_in(self.actor, team, name, number))

    @extend_schema(request=shapes.VersionChange, responses=shapes.VersionShape)
    def partial_update(self, request: Request, team: str, name: str, number: str) -> Response:
        version = access.get_version_in(self.actor, team, name, number, Level.EDIT)
        given = self.parsed(shapes.VersionChange)
        return _shown(self.actor, actions.describe_version(self.actor, version=version, **given))

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, team: str, name: str, number: str) -> Response:
        """Delete it for good; not while a policy governs where it is."""
        version = access.get_version_in(self.actor, team, name, number, Level.EDIT)
        actions.delete_version(self.actor, version=version)
        return Response(status=204)

    @extend_schema(request=shapes.StageChange, responses=shapes.VersionShape)
    @action(detail=True, methods=["post"])
    def stage(self, request: Request, team: str, name: str, number: str) -> Response:
        """Move it without a request: for those with the right, where no policy says otherwise."""
        version = access.get_version_in(self.actor, team, name, number)
        return _shown(self.actor, actions.move_version(self.actor, version=version, **self.parsed(shapes.StageChange)))

    @extend_schema(request=NewRequest, responses={201: RequestShape})
    @action(detail=True, methods=["post"])
    def requests(self, request: Request, team: str, name: str, number: str) -> Response:
        """Ask that it enter a stage, or that an alias point at it."""
        version = access.get_version_in(self.actor, team, name, number)
        given = self.parsed(NewRequest)
        asked = actions.ask(self.actor, version=version, slot=slot_of(given), comment=given["comment"])
        return Response(RequestShape(asked).data, 201)

    @extend_schema(responses=shapes.LineageShape)
    @action(detail=True)
    def lineage(self, request: Request, team: str, name: str, number: str) -> Response:
        """Where it came from, and what uses it."""
        version = access.get_version_in(self.actor, team, name, number)
        return Response(shapes.LineageShape(lineage_of(self.actor, version).as_json()).data)


class VersionCommentViewSet(ApiViewSet):
    """What people said about a version."""

    scope = Scope.REGISTRY
    queryset = Comment.objects.none()
    serializer_class = shapes.CommentShape
    keyset = "pk"

    def list(self, request: Request, team: str, name: str, number: str) -> Response:
        version = access.get_version_in(self.actor, team, name, number)
        return self.page(Comment.objects.filter(version=version))

    @extend_schema(request=shapes.NewComment, responses={201: shapes.CommentShape})
    def create(self, request: Request, team: str, name: str, number: str) -> Response:
        """In Markdown; who is mentioned with @name hears of it."""
        version = access.get_version_in(self.actor, team, name, number)
        comment = actions.comment_on(self.actor, version=version, **self.parsed(shapes.NewComment))
        return Response(shapes.CommentShape(comment).data, 201)


class CommentViewSet(ApiViewSet):
    """Changing and deleting what one said."""

    scope = Scope.REGISTRY
    queryset = Comment.objects.none()
    serializer_class = shapes.CommentShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(request=shapes.NewComment, responses=shapes.CommentShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        comment = access.get_comment(self.actor, int(pk))
        changed = actions.change_comment(self.actor, comment=comment, **self.parsed(shapes.NewComment))
        return Response(shapes.CommentShape(changed).data)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        actions.delete_comment(self.actor, comment=access.get_comment(self.actor, int(pk)))
        return Response(status=204)


def _shown(actor: Actor, version: ModelVersion, status: int = 200) -> Response:
    return Response(shapes.VersionShape(rows_of(actor, version.model, [version])[0]).data, status)
