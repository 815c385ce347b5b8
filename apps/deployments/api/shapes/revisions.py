from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.deployments.api.shapes.common import NUMBER
from apps.deployments.models import Instance, InstanceState, RevisionState
from apps.deployments.selectors.records import RevisionRecord


class RevisionShape(serializers.Serializer[Any]):
    """A version with its configuration, which never change. `weight` is percent of the traffic, now.

    `build` is the id of the project run that built it. `message`: why it failed, or what is waited for.
    """

    number = serializers.IntegerField(source="revision.number")
    model = serializers.CharField(source="revision.model_name")
    version = serializers.IntegerField(source="revision.version_number")
    is_deleted = serializers.SerializerMethodField(help_text="Whether the registry has the version no more.")
    state = serializers.ChoiceField(RevisionState.choices, source="revision.state")
    message = serializers.CharField(source="revision.message")
    is_wanted = serializers.BooleanField()
    is_canary = serializers.BooleanField(source="revision.is_canary")
    weight = serializers.IntegerField()
    instances_ready = serializers.IntegerField(source="ready")
    instances_wanted = serializers.IntegerField(source="revision.instances_wanted")
    config = serializers.DictField(child=serializers.JSONField())
    build = serializers.CharField(source="revision.build_id", allow_null=True)
    sha256 = serializers.CharField(source="revision.sha256", help_text="Of the names and contents of its files.")
    owner = serializers.CharField(source="revision.owner_name")
    reason = serializers.CharField(source="revision.reason")
    created_ms = serializers.IntegerField(source="revision.created_ms")
    ready_ms = serializers.IntegerField(source="revision.ready_ms", allow_null=True)
    state_ms = serializers.IntegerField(source="revision.state_ms")
    rests_ms = serializers.IntegerField(
        source="revision.rests_ms", allow_null=True, help_text="When it may be stopped, since nothing is sent to it."
    )

    def get_is_deleted(self, record: RevisionRecord) -> bool:
        """Whether its version is gone."""
        return record.revision.version_id is None


class InstanceShape(serializers.Serializer[Instance]):
    """A process, container or pod. `failures`: how many before it ended in a row by themselves."""

    id = serializers.CharField(source="pk")
    revision = serializers.IntegerField(source="revision.number")
    host = serializers.CharField()
    target = serializers.CharField()
    state = serializers.ChoiceField(InstanceState.choices)
    message = serializers.CharField()
    isolation = serializers.CharField()
    unenforced = serializers.ListField(child=serializers.JSONField(), help_text="Limits that its host can't hold.")
    memory_bytes = serializers.IntegerField(allow_null=True)
    failures = serializers.IntegerField()
    exit_code = serializers.IntegerField(allow_null=True)
    started_ms = serializers.IntegerField()
    ready_ms = serializers.IntegerField(allow_null=True)
    ended_ms = serializers.IntegerField(allow_null=True)


class InstanceQuery(serializers.Serializer[Any]):
    revision = serializers.IntegerField(required=False, **NUMBER)
    alive = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Those that have not ended, or those that have."
    )


class LogQuery(serializers.Serializer[Any]):
    offset = serializers.IntegerField(
        min_value=-(2**31),
        max_value=2**53,
        required=False,
        default=0,
        help_text="In bytes; `X-Log-Offset` of the last answer. Below 0: so many from the end.",
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=1024 * 1024, required=False, default=256 * 1024, help_text="At most so many bytes."
    )
    wait = serializers.FloatField(
        min_value=0, max_value=25, required=False, default=0, help_text="Seconds to wait for more, where there is none."
    )
