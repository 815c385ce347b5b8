from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.actions.schedules import MAX_NAME
from apps.projects.api.shapes.projects import Words
from apps.projects.api.shapes.runs import AskedFields
from apps.projects.cron import MAX_CRON
from apps.projects.models import Missed, Overlap

_KEY: dict[str, Any] = {"min_value": 1, "max_value": 2**53}


class ScheduleShape(serializers.Serializer[Any]):
    """Starts runs of a project, as its owner. `next_ms` is null while it rests; times are ms since the epoch."""

    id = serializers.CharField(source="schedule.pk")
    project = serializers.CharField(source="schedule.project_id")
    name = serializers.CharField(source="schedule.name")
    owner = serializers.CharField(source="schedule.owner.username", default=None, allow_null=True)
    cron = serializers.CharField(source="schedule.cron")
    in_words = serializers.CharField(source="words")
    timezone = serializers.CharField(source="schedule.timezone")
    asks = serializers.DictField(source="schedule.asks", help_text="What each run is asked for.")
    missed = serializers.ChoiceField(Missed.choices, source="schedule.missed")
    overlap = serializers.ChoiceField(Overlap.choices, source="schedule.overlap")
    is_paused = serializers.BooleanField(source="schedule.is_paused")
    next_ms = serializers.SerializerMethodField()
    last_run_id = serializers.CharField(source="last.pk", default=None, allow_null=True)
    last_state = serializers.CharField(source="last.state", default=None, allow_null=True)
    last_note = serializers.CharField(source="schedule.last_note", help_text="Why the last time started no run.")
    created_ms = serializers.IntegerField(source="schedule.created_ms")
    updated_ms = serializers.IntegerField(source="schedule.updated_ms")

    def get_next_ms(self, line: Any) -> int | None:
        """When the next run is due."""
        return int(line.next_at.timestamp() * 1000) if line.next_at else None


class ScheduleChange(serializers.Serializer[Any]):
    """What is left out stays; `asks` is given as a whole. Whoever changes more than `is_paused` becomes its owner."""

    name = Words(max_length=MAX_NAME, required=False)
    cron = Words(max_length=MAX_CRON, required=False, help_text="Minute, hour, day of month, month, day of week.")
    timezone = Words(max_length=64, required=False, help_text="`Europe/Berlin`; usually UTC.")
    asks = AskedFields(required=False)
    missed = serializers.ChoiceField(Missed.choices, required=False, help_text="skip: nothing. once: one run for all.")
    overlap = serializers.ChoiceField(
        Overlap.choices, required=False, help_text="While its last run goes on: skip, queue, or cancel that one."
    )
    is_paused = serializers.BooleanField(required=False)


class NewSchedule(ScheduleChange):
    project = serializers.IntegerField(help_text="The id of a project.", **_KEY)
    name = Words(max_length=MAX_NAME)
    cron = Words(max_length=MAX_CRON, help_text="Minute, hour, day of month, month, day of week.")


class ScheduleQuery(serializers.Serializer[Any]):
    project = serializers.IntegerField(required=False, help_text="The id of a project.", **_KEY)


class PreviewQuery(serializers.Serializer[Any]):
    cron = serializers.CharField(max_length=MAX_CRON)
    timezone = serializers.CharField(max_length=64, required=False, default="UTC")


class PreviewShape(serializers.Serializer[Any]):
    in_words = serializers.CharField()
    times = serializers.ListField(
        child=serializers.CharField(), help_text="The next five, as clocks in the zone show them."
    )
