from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Level, Scope
from apps.core.viewsets import ApiViewSet
from apps.projects import access, actions
from apps.projects.api.shapes import schedules as shapes
from apps.projects.api.views.projects import NOTHING
from apps.projects.asking.submission import Submission
from apps.projects.cron import Cron
from apps.projects.models import Missed, Overlap, Schedule
from apps.projects.selectors import schedules

_PLANNED = ("name", "cron", "timezone")


class ScheduleViewSet(ApiViewSet):
    """What starts runs of projects by the clock."""

    scope = Scope.PROJECTS
    queryset = Schedule.objects.none()
    serializer_class = shapes.ScheduleShape
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[shapes.ScheduleQuery])
    def list(self, request: Request) -> Response:
        """Those of projects that one may read, of all teams."""
        asked = self.parsed_query(shapes.ScheduleQuery)
        found = schedules.schedules_for(self.actor)
        rows = self.paginate_queryset(found.filter(project_id=asked["project"]) if "project" in asked else found) or []
        lines = schedules.lines_of(found.filter(pk__in=[row.pk for row in rows]).order_by("-pk"))
        return self.get_paginated_response(shapes.ScheduleShape(lines, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(access.get_schedule(self.actor, pk))

    @extend_schema(request=shapes.NewSchedule, responses={201: shapes.ScheduleShape})
    def create(self, request: Request) -> Response:
        """Its runs are the caller's, and go into the project's experiment."""
        given = self.parsed(shapes.NewSchedule)
        project = access.get_project_by_key(self.actor, given["project"], Level.EDIT)
        plan = _changed(actions.Plan(name=given["name"], cron=given["cron"]), given)
        paused = given.get("is_paused", False)
        return self._shown(actions.create_schedule(self.actor, project=project, plan=plan, is_paused=paused), 201)

    @extend_schema(request=shapes.ScheduleChange, responses=shapes.ScheduleShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        schedule = access.get_schedule(self.actor, pk, Level.EDIT)
        given = self.parsed(shapes.ScheduleChange)
        with transaction.atomic():
            if given.keys() - {"is_paused"}:
                plan = _changed(actions.Plan.of(schedule), given)
                schedule = actions.change_schedule(self.actor, schedule=schedule, plan=plan)
            if "is_paused" in given:
                schedule = actions.pause_schedule(self.actor, schedule=schedule, is_paused=given["is_paused"])
        return self._shown(schedule)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        """Its runs stay."""
        actions.delete_schedule(self.actor, schedule=access.get_schedule(self.actor, pk, Level.EDIT))
        return Response(status=204)

    @extend_schema(parameters=[shapes.PreviewQuery], responses=shapes.PreviewShape, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """What a cron line means: in words, and the next five times."""
        asked = self.parsed_query(shapes.PreviewQuery)
        cron = Cron.parse(asked["cron"], asked["timezone"])
        said = {"in_words": cron.in_words(), "times": [moment.isoformat() for moment in schedules.next_times(cron)]}
        return Response(shapes.PreviewShape(said).data)

    def _shown(self, schedule: Schedule, status: int = 200) -> Response:
        found = Schedule.objects.filter(pk=schedule.pk).select_related("project__team", "owner")
        return Response(shapes.ScheduleShape(schedules.lines_of(found)[0]).data, status)


def _changed(plan: actions.Plan, given: dict[str, Any]) -> actions.Plan:
    changes: dict[str, Any] = {name: given[name] for name in _PLANNED if name in given}
    if "asks" in given:
        changes["asks"] = Submission.from_json(given["asks"])
    if "missed" in given:
        changes["missed"] = Missed(given["missed"])
    if "overlap" in given:
        changes["overlap"] = Overlap(given["overlap"])
    return replace(plan, **changes)
