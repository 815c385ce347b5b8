"""What is done with a deployment's versions and traffic: calls that add revisions and move what is wanted."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level
from apps.core.errors import Conflict
from apps.core.viewsets import ApiViewSet
from apps.deployments import access, actions
from apps.deployments.api import asking
from apps.deployments.api.shapes import common, deployments, revisions
from apps.deployments.models import Deployment, Revision
from apps.deployments.selectors.records import records_of, revision_record


class Changes(ApiViewSet):
    """Actions of a deployment, for those who may edit it."""

    @extend_schema(request=deployments.Deploying, responses={201: revisions.RevisionShape})
    @action(detail=True, methods=["post"])
    def deploy(self, request: Request, name: str) -> Response:
        """Serve another version or configuration: a new revision, to which all traffic moves once it is ready."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.Deploying)
        revision = actions.deploy_version(
            self.actor,
            deployment=deployment,
            version=asking.version_asked(self.actor, given, deployment),
            config=asking.config_asked(given, deployment.config),
            reason=given["reason"],
            canary=given["canary"],
        )
        return self._revision(name, revision, 201)

    @extend_schema(request=deployments.RevisionRollback, responses=revisions.RevisionShape)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, name: str) -> Response:
        """Serve an earlier revision again. 409 where there is none."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.RevisionRollback)
        to = access.get_revision(self.actor, deployment, given["revision"]) if "revision" in given else None
        return self._revision(name, actions.roll_back(self.actor, deployment=deployment, to=to, reason=given["reason"]))

    @extend_schema(request=deployments.RevisionRetry, responses=revisions.RevisionShape)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, name: str) -> Response:
        """Try a revision that failed once more. 409 for one that did not."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.RevisionRetry)
        number = given.get("revision") or (deployment.wanted.number if deployment.wanted else None)
        if number is None:
            raise Conflict(f"{deployment.name} has no revision.")
        revision = access.get_revision(self.actor, deployment, number)
        return self._revision(name, actions.retry_revision(self.actor, deployment=deployment, revision=revision))

    @extend_schema(request=deployments.Shift, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"])
    def shift(self, request: Request, name: str) -> Response:
        """Split the traffic among revisions that are ready. One that gets all of it is what is wanted then."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.Shift)
        weights = asking.weights_asked(given["weights"])
        actions.shift_traffic(self.actor, deployment=deployment, weights=weights, reason=given["reason"])
        return self.shown(name)

    @extend_schema(request=deployments.EndCanary, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"], url_path="end-canary", url_name="end-canary")
    def end_canary(self, request: Request, name: str) -> Response:
        """Give a canary's traffic back to what is wanted."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.EndCanary)
        canary = asking.canary_asked(self.actor, deployment, given.get("revision"))
        actions.end_canary(self.actor, deployment=deployment, revision=canary, reason=given["reason"])
        return self.shown(name)

    @extend_schema(request=deployments.Acceptance, responses={201: revisions.RevisionShape})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, name: str) -> Response:
        """Deploy the version that is proposed. 409 where none is."""
        deployment = self.fetched(name, Level.EDIT)
        given = self.parsed(deployments.Acceptance)
        return self._revision(name, actions.accept_proposal(self.actor, deployment=deployment, **given), 201)

    @extend_schema(request=common.Reason, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, name: str) -> Response:
        """Leave what is served; that version is not proposed again before another was."""
        deployment = self.fetched(name, Level.EDIT)
        actions.dismiss_proposal(self.actor, deployment=deployment, **self.parsed(common.Reason))
        return self.shown(name)

    @extend_schema(request=deployments.Scaling, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"])
    def scale(self, request: Request, name: str) -> Response:
        """How many instances there are, now and of new revisions."""
        deployment = self.fetched(name, Level.EDIT)
        actions.scale(self.actor, deployment=deployment, **self.parsed(deployments.Scaling))
        return self.shown(name)

    @extend_schema(request=common.Reason, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, name: str) -> Response:
        """Let nothing of it run."""
        return self._stopped_or_not(name, actions.stop_deployment)

    @extend_schema(request=common.Reason, responses=deployments.DeploymentPageShape)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, name: str) -> Response:
        """Let it serve again what it served."""
        return self._stopped_or_not(name, actions.start_deployment)

    def fetched(self, name: str, level: Level = Level.READ) -> Deployment:
        """The deployment of the address, for the actor with that level."""
        return access.get_deployment(self.actor, name, level)

    def shown(self, name: str, status: int = 200) -> Response:
        """It as it is now."""
        return Response(deployments.DeploymentPageShape(records_of([self.fetched(name)])[0]).data, status)

    def _revision(self, name: str, revision: Revision, status: int = 200) -> Response:
        record = revision_record(self.fetched(name), revision)
        return Response(revisions.RevisionShape(record).data, status)

    def _stopped_or_not(self, name: str, change: Any) -> Response:
        deployment = self.fetched(name, Level.EDIT)
        change(self.actor, deployment=deployment, **self.parsed(common.Reason))
        return self.shown(name)
