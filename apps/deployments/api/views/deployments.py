from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level
from apps.core.api import page_response
from apps.deployments import actions
from apps.deployments.api import asking
from apps.deployments.api.shapes import deployments as shapes
from apps.deployments.api.shapes import observed
from apps.deployments.api.views.changing import Changes
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment
from apps.deployments.ports import Port
from apps.deployments.selectors.deployments import Wanted, deployments_matching
from apps.deployments.selectors.hosts import hosts
from apps.deployments.selectors.points import Span, traffic_in
from apps.deployments.selectors.records import records_of

NOTHING: dict[int, Any] = {204: None}
# As host names are, in any case.
NAME = r"[A-Za-z0-9-]{1,63}"


class DeploymentViewSet(Changes):
    """Deployments of the team that the call speaks for, and what other teams granted.

    Tokens of the scope `all` change them; `read` sees them; `serve` calls what is deployed, and nothing here.
    """

    queryset = Deployment.objects.none()
    serializer_class = shapes.DeploymentPageShape
    lookup_field = "name"
    lookup_value_regex = NAME

    @extend_schema(parameters=[shapes.DeploymentQuery], responses=shapes.DeploymentShape(many=True))
    def list(self, request: Request) -> Response:
        """Newest first."""
        found = deployments_matching(self.actor, Wanted(**self.parsed_query(shapes.DeploymentQuery)))
        rows = records_of(self.paginate_queryset(found) or [])
        return self.get_paginated_response(shapes.DeploymentShape(rows, many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        return self.shown(name)

    @extend_schema(request=shapes.NewDeployment, responses={201: shapes.DeploymentPageShape})
    def create(self, request: Request) -> Response:
        """Serve a version under a name. It answers once it is built and ready; `state` says how far it is."""
        given = self.parsed(shapes.NewDeployment)
        deployment = actions.create_deployment(
            self.actor,
            name=given["name"],
            version=asking.version_asked(self.actor, given),
            config=asking.config_asked(given) or Config(),
            description=given.get("description", ""),
            follow=asking.follow_asked(given, Follow()),
            stages=given.get("stages", ()),
            port=asking.port_asked(given, Port()),
        )
        return self.shown(deployment.name, 201)

    @extend_schema(request=shapes.DeploymentChange, responses=shapes.DeploymentPageShape)
    def partial_update(self, request: Request, name: str) -> Response:
        """Its description, what it follows and allows, and its port. Versions and configurations are deployed."""
        given = self.parsed(shapes.DeploymentChange)
        is_managed = any(field != "description" for field in given)
        deployment = self.fetched(name, Level.MANAGE if is_managed else Level.EDIT)
        with transaction.atomic():
            self._change(deployment, given)
        return self.shown(name)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, name: str) -> Response:
        """Delete it with its revisions, for good. 409 unless it was stopped, and nothing of it runs any more."""
        actions.delete_deployment(self.actor, deployment=self.fetched(name, Level.MANAGE))
        return Response(status=204)

    @extend_schema(parameters=[observed.TrafficQuery], responses=observed.TrafficShape, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def traffic(self, request: Request, name: str) -> Response:
        """What came through the gateway: requests, errors and latencies, in steps of time."""
        deployment = self.fetched(name)
        asked = self.parsed_query(observed.TrafficQuery)
        span = Span.of(asked["minutes"], asked.get("step"), asked.get("until_ms"))
        return Response(observed.TrafficShape(traffic_in(deployment, span, asked.get("revision"))).data)

    @extend_schema(responses=observed.HostShape(many=True))
    @action(detail=False, methods=["get"])
    def hosts(self, request: Request) -> Response:
        """The machines that serve, those that are alive first. Everybody may know them."""
        return page_response(observed.HostShape(hosts().rows, many=True).data, None)

    def _change(self, deployment: Deployment, given: dict[str, Any]) -> None:
        if "description" in given:
            actions.describe_deployment(self.actor, deployment=deployment, description=given["description"])
        if any(field in given for field in ("stages", *asking.FOLLOW_FIELDS)):
            follow = asking.follow_asked(given, Follow.of(deployment))
            stages = given.get("stages", deployment.stages)
            actions.set_rules(self.actor, deployment=deployment, follow=follow, stages=stages)
        if any(field in given for field in asking.PORT_FIELDS):
            port = asking.port_asked(given, Port.of(deployment))
            actions.set_port(self.actor, deployment=deployment, port=port)
