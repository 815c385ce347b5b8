from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.experiments.models.experiments import Experiment
from apps.experiments.models.runs import Run
from apps.experiments.querysets import LoggedModelQuerySet


class LoggedModelStatus(models.TextChoices):
    """The protocol's names."""

    UNSPECIFIED = "LOGGED_MODEL_STATUS_UNSPECIFIED"
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    UPLOAD_FAILED = "LOGGED_MODEL_UPLOAD_FAILED"


class LoggedModel(models.Model):
    """A model that a run (or a person) logged into an experiment; what model versions are made from."""

    model_id = models.CharField(max_length=36, unique=True)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="logged_models", db_index=False)
    name = models.CharField(max_length=500)
    status = models.CharField(max_length=32, choices=LoggedModelStatus.choices, default=LoggedModelStatus.PENDING)
    status_message = models.CharField(max_length=1000, blank=True)
    model_type = models.CharField(max_length=500, blank=True)
    # As the client names it; the run may be in another experiment or gone.
    source_run_id = models.CharField(max_length=36, blank=True, db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()
    deleted_ms = models.BigIntegerField(null=True)

    objects = LoggedModelQuerySet.as_manager()

    class Meta:
        indexes = [models.Index("experiment", models.F("created_ms").desc(), "id", name="logged_model_recent")]

    def __str__(self) -> str:
        return self.name

    @property
    def artifact_uri(self) -> str:
        """Its folder, as the protocol writes it. Needs `experiment`."""
        return f"{self.experiment.artifact_root}/models/{self.model_id}/artifacts"


class LoggedModelTag(models.Model):
    """A label of a logged model."""

    pk = models.CompositePrimaryKey("model_id", "key")
    model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class LoggedModelParam(models.Model):
    """An input of a logged model; written once."""

    pk = models.CompositePrimaryKey("model_id", "key")
    model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="params", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class LoggedModelMetric(models.Model):
    """A metric logged for a model, by a run and perhaps on a dataset. NaN and infinities as in `Point`."""

    model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="metrics", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="model_metrics")
    key = models.CharField(max_length=250)
    value = models.FloatField()
    is_nan = models.BooleanField(default=False)
    step = models.BigIntegerField(default=0)
    timestamp = models.BigIntegerField()
    dataset_name = models.CharField(max_length=500, blank=True)
    dataset_digest = models.CharField(max_length=36, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("model", "key", "timestamp", "step", "run"), name="model_metric_once")
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class ModelLink(models.Model):
    """That a run took a logged model as input, or made it as output (at a step)."""

    class Direction(models.TextChoices):
        INPUT = "input"
        OUTPUT = "output"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="model_links", db_index=False)
    model = models.ForeignKey(LoggedModel, on_delete=models.CASCADE, related_name="links")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    step = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("run", "direction", "model"), name="model_link_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.direction} {self.model}"
