from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from apps.deployments.names import MAX_REASON

# Numbers of revisions and versions, as columns hold them.
NUMBER: dict[str, Any] = {"min_value": 1, "max_value": 2**31 - 1}


class Strict(serializers.Serializer[Any]):
    """A body in which each name is known: what is misspelt is told, not left out."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises DRF's `ValidationError` that names what is unknown."""
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
            said = f"Unknown; known are {known}." if known else "Nothing is taken here."
            raise serializers.ValidationError({str(name)[:100]: [said] for name in unknown[:10]})
        return super().to_internal_value(data)


class Words(serializers.CharField):
    """Text as it was written; what it may hold is the actions' to say."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **more})


class Nothing(Strict):
    """An empty body."""


class Reason(Strict):
    """Why, in words that are kept in the audit log."""

    reason = Words(max_length=MAX_REASON, required=False, default="")
