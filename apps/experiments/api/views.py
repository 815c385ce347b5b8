from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level, Scope
from apps.core.api import page_response, page_size_of
from apps.core.errors import NotFound
from apps.core.viewsets import ApiViewSet
from apps.experiments import access, actions
from apps.experiments.api import serializers as shapes
from apps.experiments.models import Experiment, Run, RunStatus
from apps.experiments.search.runs import search_runs
from apps.experiments.search.views import View, in_view
from apps.experiments.selectors.charts import lines_of
from apps.experiments.selectors.overview import NOTE_TAG, rows_of

_NOTHING = {204: None}


class ExperimentViewSet(ApiViewSet):
    """Experiments of the team that the call speaks for, and what other teams granted."""

    scope = Scope.TRACKING
    queryset = Experiment.objects.none()
    serializer_class = shapes.ExperimentShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.ExperimentQuery])
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.ExperimentQuery)
        found = in_view(Experiment.objects.listed_for(self.actor), View[asked["view"]])
        if asked.get("name"):
            found = found.filter(name__icontains=asked["name"])
        rows = rows_of(self.paginate_queryset(found.select_related("team", "owner")) or [])
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return _shown(access.get_experiment(self.actor, pk))

    @extend_schema(request=shapes.NewExperiment, responses={201: shapes.ExperimentShape})
    def create(self, request: Request) -> Response:
        given = self.parsed(shapes.NewExperiment)
        tags = given["tags"] | ({NOTE_TAG: given["description"]} if given["description"] else {})
        experiment = actions.create_experiment(self.actor, name=given["name"], tags=list(tags.items()))
        return _shown(experiment, 201)

    @extend_schema(request=shapes.ExperimentChange, responses=shapes.ExperimentShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        experiment = access.get_experiment(self.actor, pk, Level.EDIT)
        given = self.parsed(shapes.ExperimentChange)
        with transaction.atomic():
            if "name" in given and given["name"] != experiment.name:
                actions.rename_experiment(self.actor, experiment=experiment, name=given["name"])
            if "description" in given:
                actions.set_experiment_tag(self.actor, experiment=experiment, key=NOTE_TAG, value=given["description"])
        return _shown(experiment)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        """Put it into the trash with its runs."""
        actions.delete_experiment(self.actor, experiment=access.get_experiment(self.actor, pk, Level.MANAGE))
        return Response(status=204)

    @extend_schema(request=None, responses=shapes.ExperimentShape)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take it out of the trash with its runs."""
        experiment = access.get_experiment(self.actor, pk, Level.MANAGE)
        actions.restore_experiment(self.actor, experiment=experiment)
        experiment.deleted_ms = None
        return _shown(experiment)


class RunViewSet(ApiViewSet):
    """Runs with what they logged. What scripts log goes over MLflow's protocol."""

    scope = Scope.TRACKING
    queryset = Run.objects.none()
    serializer_class = shapes.RunShape
    lookup_field = "run_id"
    lookup_value_regex = r"[^/]{1,64}"

    @extend_schema(parameters=[shapes.RunQuery])
    def list(self, request: Request) -> Response:
        """Runs of the named experiments that match a filter; ids that one may not see are left out."""
        asked = self.parsed_query(shapes.RunQuery)
        found = search_runs(
            self.actor,
            experiment_ids=access.visible_experiment_keys(self.actor, asked["experiment_id"]),
            text=asked["filter"],
            order_by=asked["order_by"],
            view=View[asked["view"]],
            max_results=page_size_of(request, 50, 1000),
            page_token=request.query_params.get("page_token", ""),
        )
        return page_response(self.get_serializer(_whole(found.items), many=True).data, found.next_token)

    def retrieve(self, request: Request, run_id: str) -> Response:
        return self._shown(access.get_run(self.actor, run_id))

    @extend_schema(request=shapes.RunChange, responses=shapes.RunShape)
    def partial_update(self, request: Request, run_id: str) -> Response:
        run = access.get_run(self.actor, run_id, Level.EDIT)
        given = self.parsed(shapes.RunChange)
        status = RunStatus(given["status"]) if "status" in given else None
        actions.update_run(self.actor, run=run, status=status, end_ms=given.get("end_ms"), name=given.get("name", ""))
        return self._shown(run)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, run_id: str) -> Response:
        """Put it into the trash. Twice changes nothing."""
        actions.delete_run(self.actor, run=access.get_run(self.actor, run_id, Level.MANAGE))
        return Response(status=204)

    @extend_schema(request=None, responses=shapes.RunShape)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, run_id: str) -> Response:
        """Take it out of the trash."""
        run = access.get_run(self.actor, run_id, Level.MANAGE)
        actions.restore_run(self.actor, run=run)
        return self._shown(run)

    @extend_schema(parameters=[shapes.HistoryQuery], responses=shapes.HistoryShape)
    @action(detail=True, url_path=r"metrics/(?P<key>.+?)")
    def metrics(self, request: Request, run_id: str, key: str) -> Response:
        """A metric's history for drawing: thinned, whatever its length."""
        run = access.get_run(self.actor, run_id)
        asked = self.parsed_query(shapes.HistoryQuery)
        lines = lines_of([run], [key], points=asked["points"], axis=asked["axis"])
        if not lines:
            raise NotFound(f"Run {run_id} has no metric '{key}'.")
        return Response(shapes.HistoryShape(lines[0]).data)

    def _shown(self, run: Run) -> Response:
        return Response(shapes.RunShape(_whole([run.pk])[0]).data)


def _shown(experiment: Experiment, status: int = 200) -> Response:
    return Response(shapes.ExperimentShape(rows_of([experiment])[0]).data, status)


def _whole(keys: Sequence[int]) -> list[Any]:
    """Runs by primary key, in this order, with all that they logged: four statements."""
    found = Run.objects.select_related("owner").prefetch_related("params", "tags", "series").in_bulk(keys)
    return [found[key] for key in keys if key in found]
