from __future__ import annotations

from django.db import models

from apps.projects.models.runs import ProjectRun


class Outcome(models.TextChoices):
    """Why an attempt was not the last. `RETURNED`: its worker was stopped by plan, which uses no attempt up."""

    LOST = "lost"
    FAILED = "failed"
    RETURNED = "returned"


class Attempt(models.Model):
    """A try at a run after which it was queued again. Of the last one, and of the one that goes on, the run tells."""

    project_run = models.ForeignKey(ProjectRun, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    fence = models.PositiveIntegerField()
    # As it was counted then: what follows one that was returned has the same number.
    number = models.PositiveSmallIntegerField()
    worker_name = models.CharField(max_length=200)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    message = models.CharField(max_length=2000, blank=True)
    exit_code = models.IntegerField(null=True)
    claimed_ms = models.BigIntegerField(null=True)
    started_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project_run", "fence"), name="attempt_once_for_fence")]
        ordering = ("fence",)

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.project_run}"
