"""Shapes of the API. Times are milliseconds since the epoch; readers take a body apart and never write."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.mlflow.wire import show_double
from apps.experiments.models import Run, RunStatus, Series
from apps.experiments.search.views import View
from apps.experiments.selectors.charts import MAX_POINTS, Line
from apps.experiments.selectors.overview import ExperimentRow

_LONGEST = 2**63 - 1
_DOUBLE = {"oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN"]}]}
_PAIRS = {"type": "object", "additionalProperties": {"type": "string"}}


class ExperimentShape(serializers.Serializer[ExperimentRow]):
    """An experiment with its people's tags, its description in Markdown, and counts of runs outside of the trash."""

    id = serializers.CharField(source="experiment.pk")
    name = serializers.CharField(source="experiment.name")
    team = serializers.CharField(source="experiment.team.name")
    owner = serializers.CharField(source="experiment.owner.username", default=None, allow_null=True)
    description = serializers.CharField(source="note")
    tags = serializers.SerializerMethodField()
    runs = serializers.IntegerField()
    running = serializers.IntegerField()
    last_run_ms = serializers.IntegerField(source="last_ms", allow_null=True)
    artifact_location = serializers.CharField(source="experiment.artifact_root")
    created_ms = serializers.IntegerField(source="experiment.created_ms")
    updated_ms = serializers.IntegerField(source="experiment.updated_ms")
    is_deleted = serializers.BooleanField(source="experiment.is_deleted")

    @extend_schema_field(_PAIRS)
    def get_tags(self, row: ExperimentRow) -> dict[str, str]:
        """By key."""
        return dict(row.tags)


class NewExperiment(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=20_000, default="", allow_blank=True, trim_whitespace=False)
    tags = serializers.DictField(
        child=serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False), default=dict
    )


class ExperimentChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=500, required=False)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True, trim_whitespace=False)


class ExperimentQuery(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=500, required=False, help_text="A part of the name.")
    view = serializers.ChoiceField([view.name for view in View], default=View.ACTIVE_ONLY.name)


class MetricShape(serializers.Serializer[Series]):
    """A metric's latest value, and its extremes over the values that are numbers."""

    key = serializers.CharField()
    value = serializers.SerializerMethodField("latest")
    step = serializers.IntegerField(source="last_step")
    timestamp_ms = serializers.IntegerField(source="last_timestamp")
    min = serializers.FloatField(source="min_value", allow_null=True)
    max = serializers.FloatField(source="max_value", allow_null=True)
    count = serializers.IntegerField()

    @extend_schema_field(_DOUBLE)
    def latest(self, series: Series) -> float | str:
        """NaN as text: JSON has no such number."""
        return show_double(series.last_value, series.last_is_nan)


class RunShape(serializers.Serializer[Run]):
    """A run with what was logged; its params, tags and series have to be prefetched."""

    run_id = serializers.CharField()
    experiment_id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(RunStatus.choices)
    user = serializers.CharField(source="user_name")
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    parent_run_id = serializers.CharField()
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    is_deleted = serializers.BooleanField()
    params = serializers.SerializerMethodField()
    metrics = MetricShape(source="series", many=True)
    tags = serializers.SerializerMethodField()

    @extend_schema_field(_PAIRS)
    def get_params(self, run: Run) -> dict[str, str]:
        """By key."""
        return {param.key: param.value for param in run.params.all()}

    @extend_schema_field(_PAIRS)
    def get_tags(self, run: Run) -> dict[str, str]:
        """By key."""
        return {tag.key: tag.value for tag in run.tags.all()}


class RunQuery(serializers.Serializer[Any]):
    """`filter` and `order_by` as the protocol's `runs/search` takes them."""

    experiment_id = serializers.ListField(child=serializers.CharField(max_length=32), max_length=1000)
    filter = serializers.CharField(max_length=100_000, default="", allow_blank=True, trim_whitespace=False)
    order_by = serializers.ListField(child=serializers.CharField(max_length=1000), default=list, max_length=10)
    view = serializers.ChoiceField([view.name for view in View], default=View.ACTIVE_ONLY.name)


class RunChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=250, required=False)
    status = serializers.ChoiceField(RunStatus.choices, required=False)
    end_ms = serializers.IntegerField(min_value=0, max_value=_LONGEST, required=False)


class HistoryQuery(serializers.Serializer[Any]):
    points = serializers.IntegerField(min_value=3, max_value=MAX_POINTS, default=500)
    axis = serializers.ChoiceField(["step", "time"], default="step")


class HistoryShape(serializers.Serializer[Line]):
    """A metric's history, thinned to about `points` points that keep its highs, lows and gaps (null)."""

    key = serializers.CharField(source="series.key")
    count = serializers.IntegerField(source="series.count", help_text="Points that were logged.")
    steps = serializers.ListField(child=serializers.IntegerField())
    timestamps_ms = serializers.ListField(source="times", child=serializers.IntegerField())
    values = serializers.ListField(child=serializers.FloatField(allow_null=True))
