from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.registry.actions.checks import MAX_NAME, MAX_TEXT, MAX_URL
from apps.registry.gates import Gate
from apps.registry.models import Check, CheckState


class CheckShape(serializers.Serializer[Check]):
    """What an account reported of a version."""

    name = serializers.CharField()
    state = serializers.ChoiceField(CheckState.choices)
    text = serializers.CharField()
    url = serializers.CharField()
    reporter = serializers.CharField(source="reporter_name")
    created_ms = serializers.IntegerField()
    updated_ms = serializers.IntegerField()


class NewCheck(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=MAX_NAME, trim_whitespace=False)
    state = serializers.ChoiceField(CheckState.choices)
    text = serializers.CharField(max_length=MAX_TEXT, default="", allow_blank=True, trim_whitespace=False)
    url = serializers.CharField(max_length=MAX_URL, default="", allow_blank=True, trim_whitespace=False)


class GateParamShape(serializers.Serializer[Any]):
    """A value that a gate wants: of `kind` text, number, integer, or one of the `choices`."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    kind = serializers.CharField()
    choices = serializers.SerializerMethodField()
    default = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]

    def get_choices(self, row: Any) -> list[str]:
        """The values that may be given; empty where any may."""
        return [value for value, _label in row.choices]


class GateKindShape(serializers.Serializer[Gate]):
    """A kind of gate, as policies name it."""

    kind = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField()
    params = GateParamShape(source="fields", many=True)
