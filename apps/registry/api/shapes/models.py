from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.registry.actions.common import MAX_COMMENT
from apps.registry.models import Alias, Comment
from apps.registry.names import MAX_DESCRIPTION, MAX_MODEL_NAME, MAX_RUN_LINK, MAX_SOURCE, MAX_TAG_VALUE
from apps.registry.selectors.models import STAGE_NAMES, ModelRow, PointsAt
from apps.registry.selectors.versions import VersionRow

MAX_SEARCH = 1000
_PAIRS = {"type": "object", "additionalProperties": {"type": "string"}}


class Words(serializers.CharField):
    """Text as it was written; what it may hold is the actions' to say."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **more})


class InStageShape(serializers.Serializer[Any]):
    stage = serializers.CharField()
    version = serializers.IntegerField(source="number")
    others = serializers.IntegerField(help_text="How many more versions are in this stage.")


class AliasShape(serializers.Serializer[Alias]):
    """A name that points at a version."""

    alias = serializers.CharField(source="name")
    version = serializers.IntegerField(source="version.number")


class PointsAtShape(serializers.Serializer[PointsAt]):
    """The same, of a model in a list."""

    alias = serializers.CharField(source="name")
    version = serializers.IntegerField(source="number")


class ModelShape(serializers.Serializer[ModelRow]):
    """A registered model, with the newest version of each stage."""

    id = serializers.CharField(source="model.pk")
    team = serializers.CharField(source="model.team.name")
    name = serializers.CharField(source="model.name")
    description = serializers.CharField(source="model.description")
    is_prompt = serializers.BooleanField(source="model.is_prompt")
    owner = serializers.CharField(source="model.owner.username", default=None, allow_null=True)
    created_ms = serializers.IntegerField(source="model.created_ms")
    updated_ms = serializers.IntegerField(source="model.updated_ms")
    versions = serializers.IntegerField()
    newest = serializers.IntegerField(allow_null=True)
    stages = InStageShape(many=True)
    aliases = PointsAtShape(many=True)
    tags = serializers.SerializerMethodField()

    @extend_schema_field(_PAIRS)
    def get_tags(self, row: ModelRow) -> dict[str, str]:
        """People's own, by key."""
        return dict(row.tags)


class ModelQuery(serializers.Serializer[Any]):
    text = serializers.CharField(
        max_length=MAX_SEARCH, required=False, help_text="A part of the name, or a filter: tags.domain = 'credit'."
    )
    stage = serializers.ChoiceField(STAGE_NAMES, required=False)
    prompts = serializers.BooleanField(default=False)


class NewModel(serializers.Serializer[Any]):
    name = Words(max_length=MAX_MODEL_NAME)
    description = Words(max_length=MAX_DESCRIPTION, default="")
    tags = serializers.DictField(child=Words(max_length=MAX_TAG_VALUE), default=dict)


class ModelChange(serializers.Serializer[Any]):
    name = Words(max_length=MAX_MODEL_NAME, required=False)
    description = Words(max_length=MAX_DESCRIPTION, required=False)


class VersionShape(serializers.Serializer[VersionRow]):
    """A version. `is_broken`: its source names nothing that is here."""

    id = serializers.CharField(source="version.pk")
    team = serializers.CharField(source="version.model.team.name")
    name = serializers.CharField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    stage = serializers.CharField(source="version.stage")
    aliases = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField(source="version.source")  # type: ignore[assignment]
    run_id = serializers.CharField(source="version.run_id")
    is_broken = serializers.BooleanField(source="version.is_broken")
    status = serializers.CharField(source="version.status")
    description = serializers.CharField(source="version.description")
    owner = serializers.CharField(source="version.owner.username", default=None, allow_null=True)
    created_ms = serializers.IntegerField(source="version.created_ms")
    updated_ms = serializers.IntegerField(source="version.updated_ms")
    tags = serializers.SerializerMethodField()

    @extend_schema_field(_PAIRS)
    def get_tags(self, row: VersionRow) -> dict[str, str]:
        """People's own, by key."""
        return dict(row.tags)


class VersionQuery(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(STAGE_NAMES, required=False)


class NewVersion(serializers.Serializer[Any]):
    source = Words(max_length=MAX_SOURCE)  # type: ignore[assignment]
    run_id = Words(max_length=36, default="")
    run_link = Words(max_length=MAX_RUN_LINK, default="")
    description = Words(max_length=MAX_DESCRIPTION, default="")
    tags = serializers.DictField(child=Words(max_length=MAX_TAG_VALUE), default=dict)


class VersionChange(serializers.Serializer[Any]):
    description = Words(max_length=MAX_DESCRIPTION)


class StageChange(serializers.Serializer[Any]):
    """A move without a request. Past a policy, for those whom it lets, it wants a `comment`."""

    stage = serializers.CharField(max_length=100)
    archive_existing = serializers.BooleanField(default=False)
    comment = Words(max_length=MAX_COMMENT, default="")


class AliasChange(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = Words(max_length=MAX_COMMENT, default="")


class AliasRemoval(serializers.Serializer[Any]):
    reason = Words(max_length=MAX_COMMENT, default="")


class CommentShape(serializers.Serializer[Comment]):
    """Somebody's words on a version, in Markdown."""

    id = serializers.CharField(source="pk")
    author = serializers.CharField(source="author_name")
    text = serializers.CharField()
    created_ms = serializers.IntegerField()
    updated_ms = serializers.IntegerField()


class NewComment(serializers.Serializer[Any]):
    text = Words(max_length=MAX_COMMENT)


class NodeShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    note = serializers.CharField()
    url = serializers.CharField()


class EdgeShape(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class LineageShape(serializers.Serializer[Any]):
    """Where a version came from and what uses it; `hidden`: how many of its sources the caller may not read."""

    nodes = NodeShape(many=True)
    edges = EdgeShape(many=True)
    hidden = serializers.IntegerField()
