from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.accounts.models import Team
from apps.experiments.models import Experiment
from apps.projects.querysets import ArchiveQuerySet, ProjectQuerySet


class SourceKind(models.TextChoices):
    """Where a project's files come from. `FOLDER`: on the server, below what the operator allows."""

    GIT = "git"
    ARCHIVE = "archive"
    FOLDER = "folder"


class Archive(models.Model):
    """A zip of project files in the artifact store, by content: the same files are kept once for each team."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    # SHA-256 of the zip, in hex; its file is `projects/<team id>/<digest>.zip`.
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True)
    bytes = models.BigIntegerField()
    files = models.PositiveIntegerField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()

    objects = ArchiveQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "digest"), name="archive_once_in_team")]

    def __str__(self) -> str:
        return self.name or self.digest[:12]

    @property
    def path(self) -> str:
        """Where its file lies in the artifact store."""
        return f"projects/{self.team_id}/{self.digest}.zip"


class Project(models.Model):
    """A source that holds an MLproject, and what its runs begin with. Names are unique within a team."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="projects", db_index=False)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=10_000)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    source_kind = models.CharField(max_length=8, choices=SourceKind.choices)
    # A Git address or a folder of the server; empty for archives.
    source_uri = models.CharField(max_length=1000, blank=True)
    # A commit, branch or tag; empty: what the repository's default branch holds when a run starts.
    source_version = models.CharField(max_length=250, blank=True)
    subfolder = models.CharField(max_length=500, blank=True)
    archive = models.ForeignKey(Archive, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # What the MLproject said when it was last read (`apps.projects.reading.documents`), or why it can't be read.
    document = models.JSONField(null=True)
    read_error = models.TextField(blank=True)
    read_commit = models.CharField(max_length=64, blank=True)
    read_ms = models.BigIntegerField(null=True)
    # What runs begin with, unless they say otherwise.
    experiment = models.ForeignKey(Experiment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    queue = models.CharField(max_length=63, default="default")
    env_vars = models.JSONField(default=dict)
    secrets = models.JSONField(default=list)
    limits = models.JSONField(default=dict)
    # How many of its runs may go on at once; null: as many as there is room for.
    max_running = models.PositiveIntegerField(null=True, blank=True)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "name"), name="project_name_in_team")]
        indexes = [models.Index(fields=("team", "-updated_ms"), name="project_recent")]

    def __str__(self) -> str:
        return self.name
