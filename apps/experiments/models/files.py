from __future__ import annotations

from django.db import models

from apps.experiments.models.experiments import Experiment


class StorageUsage(models.Model):
    """How much the files of an experiment take, as last counted. Its team's is the sum."""

    experiment = models.OneToOneField(Experiment, on_delete=models.CASCADE, related_name="usage", primary_key=True)
    files = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    counted_ms = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.experiment}: {self.bytes} bytes"


class DoomedFolder(models.Model):
    """A folder whose run, model or experiment is gone for good, and whose files are yet to be removed.

    Written in the transaction that removes the rows: a crash in between leaves a note, never a row without its files.
    """

    uri = models.CharField(max_length=2200, unique=True)
    created_ms = models.BigIntegerField()

    def __str__(self) -> str:
        return self.uri
