from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.viewsets import ApiViewSet
from apps.experiments.access import get_experiment
from apps.projects import access, actions
from apps.projects.api.shapes import projects as shapes
from apps.projects.asking.changes import Defaults, Source, defaults_of, git_source
from apps.projects.models import Project, SourceKind
from apps.runtime.limits import Limits

NOTHING: dict[int, Any] = {204: None}
_SOURCE = ("source_kind", "source_uri", "source_version", "subfolder", "archive")
_DEFAULTS = ("experiment_id", "queue", "env_vars", "secrets", "limits", "max_running")


class ProjectViewSet(ApiViewSet):
    """Projects of the team that the call speaks for, and what other teams granted."""

    scope = Scope.PROJECTS
    by_runs = ("list", "retrieve")
    queryset = Project.objects.none()
    serializer_class = shapes.ProjectPageShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.ProjectQuery], responses=shapes.ProjectShape(many=True))
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.ProjectQuery)
        columns = {"name": "name", "text": "name__icontains", "team": "team__name"}
        found = Project.objects.listed_for(self.actor).select_related("team", "owner").defer("document")
        found = found.filter(**{column: asked[name] for name, column in columns.items() if name in asked})
        rows = self.paginate_queryset(found) or []
        return self.get_paginated_response(shapes.ProjectShape(rows, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return _shown(access.get_project_by_key(self.actor, pk))

    @extend_schema(request=shapes.NewProject, responses={201: shapes.ProjectPageShape})
    def create(self, request: Request) -> Response:
        """Make a project. An archive is read at once, a repository or folder soon, by a worker."""
        given = self.parsed(shapes.NewProject)
        with transaction.atomic():
            project = actions.create_project(
                self.actor,
                name=given["name"],
                description=given.get("description", ""),
                source=_source(self.actor, given),
            )
            _set_defaults(self.actor, project, given)
        return _shown(project, 201)

    @extend_schema(request=shapes.ProjectChange, responses=shapes.ProjectPageShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        project = access.get_project_by_key(self.actor, pk, Level.EDIT)
        given = self.parsed(shapes.ProjectChange)
        with transaction.atomic():
            if "name" in given or "description" in given:
                words = {name: given.get(name, getattr(project, name)) for name in ("name", "description")}
                actions.describe_project(self.actor, project=project, **words)
            if any(name in given for name in _SOURCE):
                actions.change_source(self.actor, project=project, source=_source(self.actor, given))
            _set_defaults(self.actor, project, given)
        return _shown(project)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a project with its schedules; its runs stay. 409 while one of them waits or goes on."""
        actions.delete_project(self.actor, project=access.get_project_by_key(self.actor, pk, Level.MANAGE))
        return Response(status=204)

    @extend_schema(request=None, responses=shapes.ProjectPageShape)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Read the source anew: an archive at once, a repository or folder soon, by a worker."""
        return _shown(actions.ask_reading(self.actor, project=access.get_project_by_key(self.actor, pk, Level.EDIT)))


def _shown(project: Project, status: int = 200) -> Response:
    return Response(shapes.ProjectPageShape(project).data, status)


def _source(actor: Actor, given: dict[str, Any]) -> Source:
    kind = given.get("source_kind")
    uri, version, subfolder = (given.get(name, "") for name in ("source_uri", "source_version", "subfolder"))
    match kind:
        case SourceKind.GIT:
            return git_source(uri, version, subfolder)
        case SourceKind.FOLDER:
            return Source(SourceKind.FOLDER, uri, subfolder=subfolder)
        case SourceKind.ARCHIVE:
            if "archive" not in given:
                raise InvalidInput("archive: the id of an uploaded archive is wanted.")
            archive = access.get_archive(actor, given["archive"])
            return Source(SourceKind.ARCHIVE, subfolder=subfolder, archive=archive)
    raise InvalidInput("source_kind is missing: a source is given as a whole.")


def _set_defaults(actor: Actor, project: Project, given: dict[str, Any]) -> None:
    asked = {name: given[name] for name in _DEFAULTS if name in given}
    if not asked:
        return
    if "experiment_id" in asked:
        named = asked.pop("experiment_id")
        asked["experiment"] = get_experiment(actor, named, Level.EDIT) if named is not None else None
    if "secrets" in asked:
        asked["secrets"] = tuple(asked["secrets"])
    if "limits" in asked:
        asked["limits"] = Limits.from_json(asked["limits"])
    defaults: Defaults = replace(defaults_of(project), **asked)
    actions.set_defaults(actor, project=project, defaults=defaults)
