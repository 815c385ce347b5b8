from __future__ import annotations

from django.db import models

from apps.projects.models.runs import ProjectRun
from apps.registry.models import ModelVersion


class Build(models.Model):
    """That a model version was loaded in an environment of its own requirements, and what came of it."""

    project_run = models.OneToOneField(ProjectRun, on_delete=models.CASCADE, related_name="build", primary_key=True)
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="builds")
    # The files that were built, by digest, so that a build of other files is not taken for one of these.
    digest = models.CharField(max_length=64, blank=True)
    is_green = models.BooleanField(null=True)
    # `{"bytes": int, "load_ms": float, "latency_ms": float, "example": bool, "schema": {...}, "packages": [...]}`
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    finished_ms = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"build of {self.version}"
