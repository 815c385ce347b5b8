"""Metrics: a series for each (run, key) that carries the latest value and extremes, and its narrow points.

A NaN is stored as value 0 with `is_nan`, an infinity as the largest finite double: both forms compare equal to
themselves, which the unique key needs (NaN doesn't), and are what the protocol's own server answers.
"""

from __future__ import annotations

from django.db import models

from apps.experiments.models.runs import Run


class Series(models.Model):
    """All values of one metric of one run. `last_*` is the point of greatest (step, timestamp, value)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="series", db_index=False)
    key = models.CharField(max_length=250)
    last_value = models.FloatField()
    last_is_nan = models.BooleanField(default=False)
    last_step = models.BigIntegerField()
    last_timestamp = models.BigIntegerField()
    # Over the points that are numbers; None while there is none.
    min_value = models.FloatField(null=True)
    max_value = models.FloatField(null=True)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("run", "key"), name="series_of_run")]
        indexes = [models.Index(fields=("key", "last_value", "run"), name="series_by_value")]

    def __str__(self) -> str:
        return f"{self.key}={'nan' if self.last_is_nan else self.last_value}"


class Point(models.Model):
    """One logged value. The key is the whole row, so that a retried call changes nothing."""

    pk = models.CompositePrimaryKey("series_id", "step", "timestamp", "value", "is_nan")
    # No constraint in the database: points are only ever written with their series' row locked, and checking each
    # of them again took half of the time of a large batch.
    series = models.ForeignKey(
        Series, on_delete=models.CASCADE, related_name="points", db_index=False, db_constraint=False
    )
    step = models.BigIntegerField()
    timestamp = models.BigIntegerField()
    value = models.FloatField()
    is_nan = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.step}: {'nan' if self.is_nan else self.value}"
