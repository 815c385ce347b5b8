from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import models
from django.db.models.functions import Left

from apps.experiments.models.experiments import Experiment
from apps.experiments.querysets import RunQuerySet

# Values may be longer than a B-tree entry can be; searches compare this much by index, then the whole value.
INDEXED_LENGTH = 128


class RunStatus(models.TextChoices):
    """The protocol's names."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Run(models.Model):
    """One execution. `run_id` is what the protocol calls it; the row's own key keeps the narrow tables narrow."""

    run_id = models.CharField(max_length=36, unique=True)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="runs", db_index=False)
    name = models.CharField(max_length=250, blank=True)
    status = models.CharField(max_length=16, choices=RunStatus.choices, default=RunStatus.RUNNING)
    start_ms = models.BigIntegerField(null=True)
    end_ms = models.BigIntegerField(null=True)
    deleted_ms = models.BigIntegerField(null=True)
    # The `user_id` that the client names, which may be nobody here; `owner` is who was signed in.
    user_name = models.CharField(max_length=256, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # The tag `mlflow.parentRunId`, kept beside the tags for the tree of nested runs.
    parent_run_id = models.CharField(max_length=36, blank=True, db_index=True)
    # The first tags, where this object has just been stored with them; else they have to be asked for.
    made_with: Mapping[str, str] | None = None

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("experiment", models.F("start_ms").desc(), "id", name="run_recent"),
            models.Index(fields=("experiment", "status"), name="run_by_status"),
            models.Index(fields=("deleted_ms",), name="run_trash", condition=models.Q(deleted_ms__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or self.run_id

    @property
    def is_deleted(self) -> bool:
        """Whether it lies in the trash."""
        return self.deleted_ms is not None


class Param(models.Model):
    """An input of a run; written once."""

    pk = models.CompositePrimaryKey("run_id", "key")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="params", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        indexes = [models.Index("key", Left("value", INDEXED_LENGTH), "run", name="param_by_value")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class RunTag(models.Model):
    """A label of a run; may be overwritten."""

    pk = models.CompositePrimaryKey("run_id", "key")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        indexes = [models.Index("key", Left("value", INDEXED_LENGTH), "run", name="run_tag_by_value")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
