from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Team

DEFAULT_QUEUE = "default"
queue_name_validator = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z", _("Up to 63 lower-case letters, digits, hyphens and underscores.")
)


class Queue(models.Model):
    """Where runs wait for the workers that serve it. Of the whole site."""

    name = models.CharField(max_length=63, unique=True, validators=[queue_name_validator])
    description = models.CharField(max_length=500, blank=True)
    # Nothing is taken from it while it is paused; what runs goes on.
    is_paused = models.BooleanField(default=False)
    max_running = models.PositiveIntegerField(null=True, blank=True)
    created_ms = models.BigIntegerField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Quota(models.Model):
    """How much of the workers a team may have; null: as much as there is."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="quota", primary_key=True)
    max_running = models.PositiveIntegerField(null=True, blank=True)
    max_queued = models.PositiveIntegerField(null=True, blank=True)
    archive_bytes = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"quota of {self.team}"


class Worker(models.Model):
    """A process that takes runs from queues. It is alive as long as it says so."""

    # `host-pid-start`, made by the worker: another start is another worker.
    name = models.CharField(max_length=200, unique=True)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    concurrency = models.PositiveSmallIntegerField()
    # What its host can do and lacks (`apps.runtime.abilities`): sandbox, limits, docker, gpus.
    abilities = models.JSONField(default=dict)
    # It finishes what it has and takes nothing new.
    is_draining = models.BooleanField(default=False)
    version = models.CharField(max_length=50, blank=True)
    started_ms = models.BigIntegerField()
    seen_ms = models.BigIntegerField()
    stopped_ms = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
