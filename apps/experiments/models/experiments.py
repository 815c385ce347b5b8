from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.accounts.models import Team
from apps.experiments.querysets import ExperimentQuerySet


class Experiment(models.Model):
    """A container of runs. Names are unique within a team; times are milliseconds since the epoch."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="experiments")
    name = models.CharField(max_length=500)
    # Empty: the server's own store. Else a folder in a store that the operator allows (`s3://bucket/prefix`).
    artifact_location = models.CharField(max_length=2000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()
    deleted_ms = models.BigIntegerField(null=True)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "name"), name="experiment_name_in_team")]
        indexes = [models.Index(fields=("team", "-updated_ms"), name="experiment_recent")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deleted(self) -> bool:
        """Whether it lies in the trash."""
        return self.deleted_ms is not None

    @property
    def artifact_root(self) -> str:
        """The folder of all its runs, as the protocol writes it."""
        return self.artifact_location or f"mlflow-artifacts:/{self.pk}"


class ExperimentTag(models.Model):
    """A tag of an experiment; `mlflow.note.content` holds its description."""

    pk = models.CompositePrimaryKey("experiment_id", "key")
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
