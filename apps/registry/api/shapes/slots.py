from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.registry.names import MAX_ALIAS
from apps.registry.stages import Slot


class SlotShape(serializers.Serializer[Any]):
    """Where: a stage, or an alias; the other one is null."""

    stage = serializers.SerializerMethodField()
    alias = serializers.SerializerMethodField()

    def get_stage(self, row: Any) -> str | None:
        """The stage's name."""
        return row.slot.name if row.slot.is_stage else None

    def get_alias(self, row: Any) -> str | None:
        """The alias, without its @."""
        return None if row.slot.is_stage else row.slot.name


class SlotFields(serializers.Serializer[Any]):
    """Exactly one of a stage and an alias."""

    stage = serializers.CharField(max_length=100, required=False)
    alias = serializers.CharField(max_length=MAX_ALIAS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Neither both nor none of them."""
        if ("stage" in attrs) == ("alias" in attrs):
            raise serializers.ValidationError({"stage": "Name a stage, or an alias."})
        return attrs


def slot_of(given: dict[str, Any]) -> Slot:
    """The slot of parsed fields. Raises `InvalidInput` for no stage."""
    return Slot.alias(given["alias"]) if "alias" in given else Slot.stage(given["stage"])
