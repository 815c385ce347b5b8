from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import get_team_by_id
from apps.accounts.models import Team
from apps.core.actor import Scope
from apps.core.errors import PermissionDenied
from apps.core.viewsets import ApiViewSet
from apps.projects import access, actions
from apps.projects.api.shapes.secrets import SecretShape, SecretValue
from apps.projects.api.views.projects import NOTHING
from apps.projects.models import Secret
from apps.projects.selectors.secrets import secrets_of


class SecretViewSet(ApiViewSet):
    """The secrets of the team that the call speaks for: set and deleted by its maintainers, named by its members."""

    scope = Scope.PROJECTS
    queryset = Secret.objects.none()
    serializer_class = SecretShape
    lookup_field = "name"
    lookup_value_regex = r"[^/]{1,100}"
    keyset = "name"

    def list(self, request: Request) -> Response:
        """By name. Who may start no runs in the team sees none."""
        return self.page(secrets_of(self.actor, self.actor.team_id))

    @extend_schema(request=SecretValue, responses={200: SecretShape, 201: SecretShape})
    def update(self, request: Request, name: str) -> Response:
        """Make a secret, or give it another value."""
        team = self._team()
        access.require_secrets(self.actor, team)
        secret, is_new = actions.set_secret(self.actor, team=team, name=name, **self.parsed(SecretValue))
        return Response(SecretShape(secret).data, 201 if is_new else 200)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, name: str) -> Response:
        """Delete it for good. Runs that name it fail from then on."""
        actions.delete_secret(self.actor, secret=access.get_secret(self.actor, self._team(), name))
        return Response(status=204)

    def _team(self) -> Team:
        if self.actor.team_id is None:
            raise PermissionDenied("Permission denied: you are in no team, so there are no secrets.")
        return get_team_by_id(self.actor, self.actor.team_id)
