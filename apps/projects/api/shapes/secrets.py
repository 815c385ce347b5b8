from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.actions.secrets import MAX_DESCRIPTION
from apps.projects.models import Secret


class SecretShape(serializers.ModelSerializer[Secret]):
    """A secret of a team, without its value, which is never shown. Times are ms since the epoch."""

    used_ms = serializers.IntegerField(help_text="When a run was last given it.", allow_null=True)

    class Meta:
        model = Secret
        fields = ("name", "description", "created_ms", "updated_ms", "updated_by", "used_ms")
        read_only_fields = fields


class SecretValue(serializers.Serializer[Any]):
    """What a secret is set to. A description that is left out stays."""

    value = serializers.CharField(
        trim_whitespace=False, write_only=True, help_text="At most 64 KB, kept sealed, and never shown again."
    )
    description = serializers.CharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)
