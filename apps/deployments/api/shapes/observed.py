"""What came through the gateway, and the hosts that serve."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.deployments.api.shapes.common import NUMBER
from apps.deployments.selectors.points import MAX_MINUTES


class PointShape(serializers.Serializer[Any]):
    """What was answered in one step of time. Latencies in ms, null where nothing was."""

    from_ms = serializers.IntegerField()
    requests = serializers.IntegerField()
    client_errors = serializers.IntegerField(help_text="Answered by 4xx, or the caller left.")
    server_errors = serializers.IntegerField(help_text="Answered by 5xx.")
    unreached = serializers.IntegerField(help_text="Could not be brought to an instance.")
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class RevisionPointsShape(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    points = PointShape(many=True)


class TrafficShape(serializers.Serializer[Any]):
    """Steps of time with requests; what is not there had none. `points` are of all revisions together."""

    from_ms = serializers.IntegerField()
    until_ms = serializers.IntegerField()
    step_minutes = serializers.IntegerField()
    points = PointShape(many=True)
    revisions = RevisionPointsShape(many=True)


class TrafficQuery(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(
        min_value=1, max_value=MAX_MINUTES, required=False, default=60, help_text="How far back, from `until_ms`."
    )
    step = serializers.IntegerField(
        min_value=1, max_value=MAX_MINUTES, required=False, help_text="Minutes of each point; left out: what fits."
    )
    until_ms = serializers.IntegerField(
        min_value=0, max_value=2**53, required=False, help_text="Milliseconds since the epoch; left out: now."
    )
    revision = serializers.IntegerField(required=False, help_text="Of this one alone.", **NUMBER)


class HostShape(serializers.Serializer[Any]):
    """A machine that serves. `lacks` are sentences: what it can't hold instances to."""

    name = serializers.CharField(source="host.name")
    is_alive = serializers.BooleanField()
    version = serializers.CharField(source="host.version")
    targets = serializers.ListField(child=serializers.CharField())
    isolation = serializers.CharField()
    lacks = serializers.ListField(child=serializers.CharField())
    gpus = serializers.ListField(child=serializers.CharField())
    seen_ms = serializers.IntegerField(source="host.seen_ms")
    started_ms = serializers.IntegerField(source="host.started_ms")
    stopped_ms = serializers.IntegerField(source="host.stopped_ms", allow_null=True)
