from __future__ import annotations

from django.db import models

LEADERSHIP = "leader"
# A host that said nothing for so long is not alive: it gets nothing new, and what it had is begun elsewhere, though it
# may go on serving.
ALIVE_MS = 20_000


class ServingHost(models.Model):
    """A machine with a `slipway serving`: what it can hold, and when it was last heard of, by the database's clock."""

    name = models.CharField(max_length=200, unique=True)
    pid = models.PositiveIntegerField(default=0)
    version = models.CharField(max_length=50, blank=True)
    targets = models.JSONField(default=list)
    # What this host enforces and lacks, as on a worker's page.
    abilities = models.JSONField(default=dict)
    seen_ms = models.BigIntegerField()
    started_ms = models.BigIntegerField()
    stopped_ms = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.name


class ServingLease(models.Model):
    """Who decides for all hosts: one holder at a time, until its lease ends by the database's clock."""

    name = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=250, blank=True)
    until_ms = models.BigIntegerField(default=0)
    # Counted up with each new holder: who comes late with an older one writes nothing.
    fence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
