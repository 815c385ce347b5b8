from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Left

from apps.experiments.models import LoggedModel, Run
from apps.registry.models.registered_models import INDEXED_LENGTH, RegisteredModel
from apps.registry.querysets import ModelVersionQuerySet
from apps.registry.stages import Stage


class VersionStatus(models.TextChoices):
    """The protocol's names."""

    PENDING = "PENDING_REGISTRATION"
    FAILED = "FAILED_REGISTRATION"
    READY = "READY"


class ModelVersion(models.Model):
    """A numbered version of a registered model.

    `source` and `run_id` are what the client wrote. What they were found to mean when it was registered stands beside
    them and never changes: `folder` (the files, as the protocol writes the address; empty: broken, for good),
    `source_run` and `logged_model`. Both may be gone by now.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    source = models.CharField(max_length=2200, blank=True)
    folder = models.CharField(max_length=2200, blank=True)
    run_id = models.CharField(max_length=36, blank=True)
    run_link = models.CharField(max_length=2000, blank=True)
    source_run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="model_versions")
    logged_model = models.ForeignKey(LoggedModel, null=True, on_delete=models.SET_NULL, related_name="model_versions")
    description = models.TextField(blank=True)
    status = models.CharField(max_length=32, choices=VersionStatus.choices, default=VersionStatus.READY)
    status_message = models.CharField(max_length=1000, blank=True)
    stage = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Stage], default=Stage.NONE.value)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("model", "number"), name="model_version_once")]
        indexes = [
            models.Index(fields=("model", "stage", "-number"), name="model_version_by_stage"),
            models.Index(fields=("run_id",), name="model_version_by_run", condition=~models.Q(run_id="")),
            models.Index(Left("folder", INDEXED_LENGTH), name="model_version_by_folder"),
            models.Index(Left("source", INDEXED_LENGTH), name="model_version_by_source"),
            models.Index(fields=("-updated_ms", "id"), name="model_version_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.number}"

    @property
    def is_broken(self) -> bool:
        """It names no files of this server, and never will."""
        return not self.folder


class ModelVersionTag(models.Model):
    """A label of a version; may be overwritten."""

    pk = models.CompositePrimaryKey("version_id", "key")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        indexes = [models.Index("key", Left("value", INDEXED_LENGTH), "version", name="model_version_tag_by_value")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Alias(models.Model):
    """A name that points at one version of its model."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="aliases", db_index=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=255)

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=("model", "name"), name="alias_once")]

    def __str__(self) -> str:
        return self.name
