from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import NotFound
from apps.core.viewsets import ApiViewSet
from apps.projects import actions
from apps.projects.api.shapes import builds as shapes
from apps.projects.models import Build
from apps.projects.selectors.builds import builds_for
from apps.registry import access
from apps.registry.models import ModelVersion

_COLUMNS = {"team": "version__model__team__name", "name": "version__model__name", "version": "version__number"}
_MORE = ("queue", "priority", "network")


class BuildViewSet(ApiViewSet):
    """Builds of model versions that one may read, newest first."""

    scope = Scope.PROJECTS
    queryset = Build.objects.none()
    serializer_class = shapes.BuildShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.BuildQuery])
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.BuildQuery)
        return self.page(builds_for(self.actor).filter(**{_COLUMNS[name]: value for name, value in asked.items()}))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.BuildShape(self._fetch(pk)).data)

    @extend_schema(request=shapes.NewBuild, responses={201: shapes.BuildShape})
    def create(self, request: Request) -> Response:
        """Build a version, whose model one may edit. 409 while a build of it waits or goes on."""
        given = self.parsed(shapes.NewBuild)
        more = {name: given[name] for name in _MORE if name in given}
        run = actions.start_build(self.actor, version=_version(self.actor, given), **more)
        return Response(shapes.BuildShape(self._fetch(run.pk)).data, 201)

    def _fetch(self, key: str | int) -> Build:
        found = builds_for(self.actor).filter(pk=int(key)).first()
        if found is None:
            raise NotFound(f"No build {key}.")
        return found


def _version(actor: Actor, given: dict[str, Any]) -> ModelVersion:
    if "team" in given:
        return access.get_version_in(actor, given["team"], given["name"], given["version"], Level.EDIT)
    return access.get_version(actor, given["name"], given["version"], Level.EDIT)
