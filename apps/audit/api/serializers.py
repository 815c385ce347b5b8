from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.audit.exports import COLUMNS
from apps.audit.models import Event
from apps.audit.sentences import plain_sentence

_FACTS = {"type": "object", "nullable": True, "additionalProperties": True}


class EventShape(serializers.ModelSerializer[Event]):
    """An event. `sequence` is its place in the sealed chain, null while it has none."""

    sentence = serializers.SerializerMethodField()
    sequence = serializers.IntegerField(read_only=True, allow_null=True)
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = (*COLUMNS, "sentence")
        read_only_fields = fields

    def get_sentence(self, event: Event) -> str:
        """What follows the actor's name."""
        return plain_sentence(event)

    @extend_schema_field(_FACTS)
    def get_before(self, event: Event) -> Any:
        """The fields that changed, as they were."""
        return event.before

    @extend_schema_field(_FACTS)
    def get_after(self, event: Event) -> Any:
        """The fields that changed, as they are then."""
        return event.after
