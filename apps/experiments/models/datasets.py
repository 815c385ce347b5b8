from __future__ import annotations

from django.db import models

from apps.experiments.models.experiments import Experiment
from apps.experiments.models.runs import Run


class Dataset(models.Model):
    """Data that runs of an experiment used: known by name and digest, described by the client."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="datasets", db_index=False)
    name = models.CharField(max_length=500)
    digest = models.CharField(max_length=36)
    source_type = models.CharField(max_length=36)
    source = models.TextField()
    schema = models.TextField(null=True)
    profile = models.TextField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("experiment", "name", "digest"), name="dataset_once_in_experiment")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"


class DatasetInput(models.Model):
    """That a run used a dataset, and as what: `context` is the tag `mlflow.data.context`, for searches."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="dataset_inputs", db_index=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="inputs")
    # A list of [key, value], in the order in which the client sent them.
    tags = models.JSONField(default=list)
    context = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("run", "dataset"), name="dataset_input_once")]

    def __str__(self) -> str:
        return f"{self.run} used {self.dataset}"
