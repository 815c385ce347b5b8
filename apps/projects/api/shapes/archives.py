from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.models import Archive


class ArchiveShape(serializers.Serializer[Archive]):
    """An uploaded project. `digest` is the SHA-256 of the zip, in hex; `files` are counted, `bytes` are the zip's."""

    id = serializers.CharField(source="pk")
    name = serializers.CharField()
    digest = serializers.CharField()
    bytes = serializers.IntegerField()
    files = serializers.IntegerField()
    created_ms = serializers.IntegerField()


class ArchiveQuery(serializers.Serializer[Any]):
    name = serializers.CharField(
        max_length=255, required=False, default="", help_text="Its name, where its MLproject has none."
    )
