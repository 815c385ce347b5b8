from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.projects.asking.names import MAX_DESCRIPTION, MAX_NAME
from apps.projects.models import Project, SourceKind
from apps.projects.reading.documents import canonical_text

_KEY: dict[str, Any] = {"min_value": 1, "max_value": 2**53}


class Words(serializers.CharField):
    """Text as it was written; what it may hold is the actions' to say."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **more})


class Values(serializers.DictField):
    """Text by name."""

    child = Words(max_length=10_000)


class ProjectShape(serializers.Serializer[Any]):
    """A project. `source_uri` is a Git address or a folder of the server; `read_error` says why it can't be read."""

    id = serializers.CharField(source="pk")
    team = serializers.CharField(source="team.name")
    name = serializers.CharField()
    description = serializers.CharField()
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    source_kind = serializers.ChoiceField(SourceKind.choices)
    source_uri = serializers.CharField()
    source_version = serializers.CharField()
    subfolder = serializers.CharField()
    archive = serializers.CharField(source="archive_id", allow_null=True)
    experiment_id = serializers.CharField(allow_null=True)
    queue = serializers.CharField()
    max_running = serializers.IntegerField(allow_null=True)
    read_ms = serializers.IntegerField(allow_null=True)
    read_error = serializers.CharField()
    read_commit = serializers.CharField()
    created_ms = serializers.IntegerField()
    updated_ms = serializers.IntegerField()


class ParameterShape(serializers.Serializer[Any]):
    """A declared parameter; without a default it has to be given."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="string, float, path or uri")
    default = serializers.CharField(allow_null=True)


class EntryPointShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    command = serializers.CharField()
    parameters = ParameterShape(many=True)


class ProjectPageShape(ProjectShape):
    """A project with what its MLproject says; null where it was not read yet."""

    env_vars = serializers.DictField(child=serializers.CharField())
    secrets = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.JSONField())
    mlproject = serializers.SerializerMethodField(help_text="The MLproject in its canonical form.")
    environment = serializers.CharField(
        source="document.environment.kind", default=None, allow_null=True, help_text="python_env, conda_env, docker_env"
    )
    entry_points = EntryPointShape(many=True, source="document.entry_points", default=None, allow_null=True)
    scripts = serializers.ListField(
        child=serializers.CharField(), source="document.scripts", default=None, allow_null=True
    )
    notes = serializers.ListField(child=serializers.CharField(), source="document.notes", default=None, allow_null=True)

    def get_mlproject(self, project: Project) -> str | None:
        """As MLflow itself would take it."""
        return canonical_text(project.document) if project.document else None


class ProjectQuery(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=MAX_NAME, required=False, help_text="Exactly this name.")
    text = serializers.CharField(max_length=MAX_NAME, required=False, help_text="Names that contain it.")
    team = serializers.CharField(max_length=63, required=False)


class _SourceFields(serializers.Serializer[Any]):
    source_kind = serializers.ChoiceField(SourceKind.choices, required=False)
    source_uri = Words(max_length=1000, required=False, help_text="A Git address, or a folder of the server.")
    source_version = Words(max_length=250, required=False, help_text="A commit, branch or tag.")
    subfolder = Words(max_length=500, required=False)
    archive = serializers.IntegerField(required=False, help_text="The id of an uploaded archive.", **_KEY)


class ProjectChange(_SourceFields):
    """What is left out stays. A source is given as a whole, with its `source_kind`."""

    name = Words(max_length=MAX_NAME, required=False)
    description = Words(max_length=MAX_DESCRIPTION, required=False)
    experiment_id = serializers.CharField(max_length=20, required=False, allow_null=True)
    queue = serializers.CharField(max_length=63, required=False)
    env_vars = Values(required=False)
    secrets = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=100)
    limits = serializers.DictField(required=False)
    max_running = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**31 - 1)


class NewProject(ProjectChange):
    """Of a Git repository, an uploaded archive, or a folder of the server; in the team that the call speaks for."""

    name = Words(max_length=MAX_NAME)
    source_kind = serializers.ChoiceField(SourceKind.choices)
