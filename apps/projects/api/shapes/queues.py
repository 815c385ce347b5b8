from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.selectors.workers import QueueRow

_COUNT: dict[str, Any] = {"min_value": 0, "max_value": 2**31 - 1, "allow_null": True, "required": False}


class QueueShape(serializers.Serializer[Any]):
    """A queue. `workers` are those that serve it now; where there is none, what waits in it goes on waiting."""

    name = serializers.CharField(source="queue.name")
    description = serializers.CharField(source="queue.description")
    is_paused = serializers.BooleanField(source="queue.is_paused")
    max_running = serializers.IntegerField(source="queue.max_running", allow_null=True)
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    workers = serializers.SerializerMethodField()
    is_served = serializers.BooleanField()
    created_ms = serializers.IntegerField(source="queue.created_ms")

    def get_workers(self, row: QueueRow) -> list[str]:
        """Their names."""
        return [worker.name for worker in row.workers]


class QueueChange(serializers.Serializer[Any]):
    """What is left out stays."""

    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    is_paused = serializers.BooleanField(required=False, help_text="Nothing is taken from it; what runs goes on.")
    max_running = serializers.IntegerField(**{**_COUNT, "min_value": 1})


class NewQueue(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=63)
    description = serializers.CharField(max_length=500, default="", allow_blank=True)
    max_running = serializers.IntegerField(**{**_COUNT, "min_value": 1})


class HeldRunShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="pk")
    project_name = serializers.CharField()
    entry_point = serializers.CharField()
    owner = serializers.CharField(source="owner_name")


class WorkerShape(serializers.Serializer[Any]):
    """A worker. `busy` of its `concurrency` slots are taken; `runs` are those of them that the caller may see."""

    name = serializers.CharField(source="worker.name")
    host = serializers.CharField(source="worker.host")
    pid = serializers.IntegerField(source="worker.pid")
    status = serializers.CharField(source="state", help_text="alive, draining or gone")
    is_draining = serializers.BooleanField(source="worker.is_draining")
    queues = serializers.ListField(source="worker.queues", child=serializers.CharField())
    concurrency = serializers.IntegerField(source="worker.concurrency")
    busy = serializers.IntegerField()
    runs = HeldRunShape(many=True)
    gpus = serializers.ListField(child=serializers.CharField())
    isolation = serializers.CharField(help_text="sandboxed, or separate process")
    lacks = serializers.ListField(child=serializers.CharField(), help_text="What its host can't do, in words.")
    version = serializers.CharField(source="worker.version")
    started_ms = serializers.IntegerField(source="worker.started_ms")
    seen_ms = serializers.IntegerField(source="worker.seen_ms")
    stopped_ms = serializers.IntegerField(source="worker.stopped_ms", allow_null=True)


class QuotaShape(serializers.Serializer[Any]):
    """What a team may have of the workers and of the store; null: as much as there is."""

    team = serializers.CharField(source="team.name")
    max_running = serializers.IntegerField(allow_null=True)
    max_queued = serializers.IntegerField(allow_null=True)
    archive_bytes = serializers.IntegerField(allow_null=True)


class QuotaFields(serializers.Serializer[Any]):
    """The quota as a whole: what is left out has no limit."""

    max_running = serializers.IntegerField(default=None, min_value=0, max_value=2**31 - 1, allow_null=True)
    max_queued = serializers.IntegerField(default=None, min_value=0, max_value=2**31 - 1, allow_null=True)
    archive_bytes = serializers.IntegerField(default=None, min_value=0, max_value=2**53, allow_null=True)
