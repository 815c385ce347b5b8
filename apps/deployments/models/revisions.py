from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deployments.models.deployments import Deployment
from apps.deployments.names import MAX_REASON
from apps.deployments.querysets import RevisionQuerySet
from apps.projects.models import ProjectRun
from apps.registry.models import ModelVersion


class RevisionState(models.TextChoices):
    """How far the supervisor got with a revision.

    `READY`: as many instances as it wants answer. `STOPPED`: none is wanted; its environment is kept, so that it comes
    back in seconds. `FAILED`: it could not be made ready, and nothing is tried before somebody asks anew.
    """

    PENDING = "pending", _("pending")
    BUILDING = "building", _("building")
    STARTING = "starting", _("starting")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    STOPPED = "stopped", _("stopped")


class Revision(models.Model):
    """One immutable version with its configuration, as a deployment serves it. Only what is observed of it changes."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="revisions", db_index=False)
    number = models.PositiveIntegerField()
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="serving_revisions")
    # As they were when it was made, for the time after the version is gone.
    model_name = models.CharField(max_length=255)
    version_number = models.PositiveIntegerField()
    # `apps.deployments.configuration.Config`.
    config = models.JSONField(default=dict)
    # How many instances are wanted now; 0: it rests, and what it needs stays built.
    instances_wanted = models.PositiveIntegerField(default=1)
    # When it may be stopped, if nothing is routed to it then: milliseconds since the epoch; null: it stays.
    rests_ms = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=RevisionState.choices, default=RevisionState.PENDING)
    # Why it failed or what is waited for, in sentences, with the end of the log where that tells.
    message = models.TextField(blank=True)
    # Whether it came by a canary: it takes no traffic before somebody gives it some.
    is_canary = models.BooleanField(default=False)
    build = models.ForeignKey(ProjectRun, null=True, on_delete=models.SET_NULL, related_name="+")
    # Of what was built and is served: SHA-256 over the names and contents of the version's files.
    sha256 = models.CharField(max_length=64, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    owner_name = models.CharField(max_length=150, blank=True)
    # "rollback to 3", "Production has version 4", or what the person wrote.
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    created_ms = models.BigIntegerField()
    ready_ms = models.BigIntegerField(null=True)
    # When it was last given all the traffic.
    served_ms = models.BigIntegerField(null=True)
    state_ms = models.BigIntegerField()

    objects = RevisionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("deployment", "number"), name="revision_once")]

    def __str__(self) -> str:
        return f"{self.deployment} revision {self.number}"


class Route(models.Model):
    """A part of a deployment's traffic: percent of all that no header or key sends elsewhere. All together are 100."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="routes", db_index=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="routes")
    weight = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("deployment", "revision"), name="route_once"),
            models.CheckConstraint(condition=models.Q(weight__lte=100), name="route_weight_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.weight} % to {self.revision}"
