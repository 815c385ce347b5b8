from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.experiments.models.runs import Run


class RunCreation(models.Model):
    """The key that a client sent when it created a run, so that the same call sent again answers with the same run."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    created_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("owner", "key"), name="run_creation_once")]

    def __str__(self) -> str:
        return f"{self.key}: {self.run}"
