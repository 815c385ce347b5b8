from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import find_team, require_admin
from apps.core.actor import Scope
from apps.core.api import page_response
from apps.core.viewsets import ApiViewSet
from apps.projects import access, actions
from apps.projects.api.shapes import queues as shapes
from apps.projects.api.views.projects import NOTHING
from apps.projects.models import Queue, Quota, Worker
from apps.projects.selectors.workers import queue_rows, worker_rows


class QueueViewSet(ApiViewSet):
    """Queues of the site. Everybody may know them; administrators change them."""

    scope = Scope.PROJECTS
    queryset = Queue.objects.none()
    serializer_class = shapes.QueueShape
    lookup_field = "name"

    def list(self, request: Request) -> Response:
        return page_response(shapes.QueueShape(queue_rows(), many=True).data, None)

    def retrieve(self, request: Request, name: str) -> Response:
        return _queue(access.get_queue(self.actor, name))

    @extend_schema(request=shapes.NewQueue, responses={201: shapes.QueueShape})
    def create(self, request: Request) -> Response:
        require_admin(self.actor)
        return _queue(actions.create_queue(self.actor, **self.parsed(shapes.NewQueue)), 201)

    @extend_schema(request=shapes.QueueChange, responses=shapes.QueueShape)
    def partial_update(self, request: Request, name: str) -> Response:
        require_admin(self.actor)
        queue = access.get_queue(self.actor, name)
        return _queue(actions.change_queue(self.actor, queue=queue, **self.parsed(shapes.QueueChange)))

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, name: str) -> Response:
        """Delete a queue. 409 while runs or projects are in it."""
        require_admin(self.actor)
        actions.delete_queue(self.actor, queue=access.get_queue(self.actor, name))
        return Response(status=204)


class WorkerViewSet(ApiViewSet):
    """Workers, and what they do. Everybody may know them; administrators drain them."""

    scope = Scope.PROJECTS
    queryset = Worker.objects.none()
    serializer_class = shapes.WorkerShape
    lookup_field = "name"
    lookup_value_regex = r"[^/]{1,200}"

    def list(self, request: Request) -> Response:
        return page_response(shapes.WorkerShape(worker_rows(self.actor), many=True).data, None)

    @extend_schema(request=None, responses=shapes.WorkerShape)
    @action(detail=True, methods=["post"])
    def drain(self, request: Request, name: str) -> Response:
        """Let it finish what it has and take nothing new."""
        return self._shown(actions.drain_worker(self.actor, worker=access.get_worker(self.actor, name)))

    @extend_schema(request=None, responses=shapes.WorkerShape)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, name: str) -> Response:
        """Let it take runs again."""
        return self._shown(actions.resume_worker(self.actor, worker=access.get_worker(self.actor, name)))

    def _shown(self, worker: Worker) -> Response:
        row = next(row for row in worker_rows(self.actor) if row.worker.pk == worker.pk)
        return Response(shapes.WorkerShape(row).data)


class QuotaViewSet(ApiViewSet):
    """What teams may have of the workers; for administrators."""

    scope = Scope.PROJECTS
    queryset = Quota.objects.none()
    serializer_class = shapes.QuotaShape
    lookup_field = "team"
    lookup_value_regex = r"[^/]{1,63}"

    def list(self, request: Request) -> Response:
        """Those that are set."""
        require_admin(self.actor)
        found = Quota.objects.select_related("team").order_by("team__name")
        return page_response(shapes.QuotaShape(found, many=True).data, None)

    @extend_schema(request=shapes.QuotaFields, responses=shapes.QuotaShape)
    def update(self, request: Request, team: str) -> Response:
        """Set the quota of a team."""
        require_admin(self.actor)
        quota = actions.set_quota(self.actor, team=find_team(self.actor, team), **self.parsed(shapes.QuotaFields))
        return Response(shapes.QuotaShape(quota).data)


def _queue(queue: Queue, status: int = 200) -> Response:
    return Response(shapes.QueueShape(queue_rows([queue.name])[0]).data, status)
