from __future__ import annotations

from django.conf import settings
from django.db import models
from django_celery_beat.models import PeriodicTask

from apps.projects.models.projects import Project
from apps.projects.querysets import ScheduleQuerySet


class Missed(models.TextChoices):
    """What happens where nobody was there at the time: nothing, or one run for all that were missed."""

    SKIP = "skip"
    ONCE = "once"


class Overlap(models.TextChoices):
    """What happens where its last run still goes on: this time is left out, queued, or the last one is cancelled."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL = "cancel"


class Schedule(models.Model):
    """Starts runs of a project at times of a cron line, as its owner. The clock is django-celery-beat's."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="schedules", db_index=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Five fields: minute, hour, day of month, month, day of week.
    cron = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC")
    # What each run is asked for: `apps.projects.asking.submission.Submission` as JSON.
    asks = models.JSONField(default=dict)
    missed = models.CharField(max_length=8, choices=Missed.choices, default=Missed.SKIP)
    overlap = models.CharField(max_length=8, choices=Overlap.choices, default=Overlap.SKIP)
    is_paused = models.BooleanField(default=False)
    # The time that was last seen to, whether a run came of it or not: none is seen to twice.
    last_due_ms = models.BigIntegerField(null=True)
    # What came of it, where that was no run.
    last_note = models.CharField(max_length=500, blank=True)
    beat = models.OneToOneField(PeriodicTask, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "name"), name="schedule_name_in_project")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
