from __future__ import annotations

from django.db import models

from apps.deployments.models.revisions import Revision


class TrafficMinute(models.Model):
    """What came through the gateway to one revision within one minute, added up over all gateways.

    `b0` to `b15` count answers by the time to their head, or until one was given up: one number for each bound of
    `apps.deployments.histogram.BOUNDS_MS`, and one for what took longer. Columns, so that one statement adds to them.
    """

    pk = models.CompositePrimaryKey("revision_id", "minute")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="traffic", db_index=False)
    # Minutes since the epoch.
    minute = models.BigIntegerField()
    requests = models.BigIntegerField(default=0)
    # By what they were answered: 4xx, or their caller left; 5xx of the model's side; and those that the gateway could
    # not bring to it.
    client_errors = models.BigIntegerField(default=0)
    server_errors = models.BigIntegerField(default=0)
    unreached = models.BigIntegerField(default=0)
    total_ms = models.FloatField(default=0)
    b0 = models.BigIntegerField(default=0)
    b1 = models.BigIntegerField(default=0)
    b2 = models.BigIntegerField(default=0)
    b3 = models.BigIntegerField(default=0)
    b4 = models.BigIntegerField(default=0)
    b5 = models.BigIntegerField(default=0)
    b6 = models.BigIntegerField(default=0)
    b7 = models.BigIntegerField(default=0)
    b8 = models.BigIntegerField(default=0)
    b9 = models.BigIntegerField(default=0)
    b10 = models.BigIntegerField(default=0)
    b11 = models.BigIntegerField(default=0)
    b12 = models.BigIntegerField(default=0)
    b13 = models.BigIntegerField(default=0)
    b14 = models.BigIntegerField(default=0)
    b15 = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.requests} requests to {self.revision_id}"


class ServingEpoch(models.Model):
    """One row, moved on by each change that a gateway has to know of: routes, ready instances, ports, limits."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
