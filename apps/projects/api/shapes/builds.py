from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.asking.submission import HIGHEST, LOWEST
from apps.projects.models import RunState

_NUMBER: dict[str, Any] = {"min_value": 1, "max_value": 2**31 - 1}


class BuildShape(serializers.Serializer[Any]):
    """A version was loaded apart from the server; `id` is its project run, whose log tells of it.

    `is_green` is null until it has ended. `digest` is a stamp of the files that were built. Of `result` the model's own
    process says all but `bytes` and `sha256`.
    """

    id = serializers.CharField(source="pk")
    team = serializers.CharField(source="version.model.team.name")
    name = serializers.CharField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    owner = serializers.CharField(source="project_run.owner_name")
    state = serializers.ChoiceField(RunState.choices, source="project_run.state")
    isolation = serializers.CharField(source="project_run.isolation")
    is_green = serializers.BooleanField(allow_null=True)
    error = serializers.CharField()
    digest = serializers.CharField()
    result = serializers.DictField(help_text="bytes, sha256, load_ms, latency_ms, example, schema, packages, python …")
    queued_ms = serializers.IntegerField(source="project_run.queued_ms")
    finished_ms = serializers.IntegerField(allow_null=True)


class BuildQuery(serializers.Serializer[Any]):
    team = serializers.CharField(max_length=63, required=False)
    name = serializers.CharField(max_length=256, required=False, help_text="Of a registered model.")
    version = serializers.IntegerField(required=False, **_NUMBER)


class NewBuild(serializers.Serializer[Any]):
    """Of a version of a model, in the team that the call speaks for unless `team` names another."""

    team = serializers.CharField(max_length=63, required=False)
    name = serializers.CharField(max_length=256, help_text="Of a registered model.")
    version = serializers.IntegerField(**_NUMBER)
    queue = serializers.CharField(max_length=63, required=False)
    priority = serializers.IntegerField(min_value=LOWEST, max_value=HIGHEST, required=False)
    network = serializers.BooleanField(required=False, help_text="Let what it loads reach others; usually not.")
