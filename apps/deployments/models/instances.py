from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.deployments.models.revisions import Revision
from apps.deployments.querysets import InstanceQuerySet


class InstanceState(models.TextChoices):
    """What was last observed. `UNHEALTHY`: was ready, and does not answer now. `DRAINING`: gets no new requests."""

    STARTING = "starting", _("starting")
    READY = "ready", _("ready")
    UNHEALTHY = "unhealthy", _("unhealthy")
    DRAINING = "draining", _("draining")
    ENDED = "ended", _("ended")


class Instance(models.Model):
    """One serving process, container or pod of a revision, as the supervisor of its host sees it.

    One that died is `ENDED` for good; what follows it is a row of its own, with `failures` counted on.
    """

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="instances", db_index=False)
    # Which of the wanted ones it is, from 0: one that failed is followed by one of the same place.
    slot = models.PositiveSmallIntegerField(default=0)
    # The `ServingHost` that has it.
    host = models.CharField(max_length=200)
    target = models.CharField(max_length=16)
    state = models.CharField(max_length=9, choices=InstanceState.choices, default=InstanceState.STARTING)
    # Where the gateway reaches it: `unix:/path`, `http://host:port`; empty until it is known.
    address = models.CharField(max_length=500, blank=True)
    # What the target finds it by again: of the target's own shape.
    handle = models.JSONField(default=dict)
    # What callers on a network have to say to it; empty where nobody else reaches it.
    key = models.CharField(max_length=64, blank=True)
    # How many before it ended in a row without having been well for a while.
    failures = models.PositiveIntegerField(default=0)
    # `sandboxed`, `separate process`, `container`; and limits that nobody holds it to, in sentences.
    isolation = models.CharField(max_length=32, blank=True)
    unenforced = models.JSONField(default=list)
    memory_bytes = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True)
    # When somebody last asked for its log: while people read, its host writes what comes to `InstanceLog`.
    log_wanted_ms = models.BigIntegerField(default=0)
    # When it was given to its host; once what it runs in is there, when it was started.
    started_ms = models.BigIntegerField()
    ready_ms = models.BigIntegerField(null=True)
    # When it was asked to end; null for one that ended of itself, which is a failure.
    drain_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField(null=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=("revision", "-started_ms"), name="instance_of_revision"),
            models.Index(fields=("host",), name="instance_alive", condition=models.Q(ended_ms__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"instance {self.pk} of {self.revision}"


class InstanceLog(models.Model):
    """A piece of an instance's log, as its host read it: bytes `start` to `end` of all that it wrote.

    What comes while it starts, while somebody reads, and at its end: there may be gaps between pieces, and old ones go.
    """

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="log", db_index=False)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("instance", "start"), name="instance_log_once")]

    def __str__(self) -> str:
        return f"{self.start} to {self.end} of {self.instance_id}"
