from __future__ import annotations

from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from apps.audit.querysets import EventQuerySet


class AppendOnly(models.Model):
    """A row that is written once. Triggers in the database refuse what this class can't see."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} rows are append-only")


class Event(AppendOnly):
    """What somebody did. Names are frozen, so that the row still reads when the people and objects are gone."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    code = models.CharField(max_length=64)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    via = models.CharField(max_length=16)
    token_id = models.BigIntegerField(null=True)
    request_id = models.CharField(max_length=64)
    ip = models.GenericIPAddressField(null=True)
    team_id = models.BigIntegerField(null=True)
    team_name = models.CharField(max_length=63, blank=True)
    object_kind = models.CharField(max_length=32, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=512, blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    note = models.TextField(blank=True)
    # Made by `chain.make_proof` from all of the above: nobody without the server's key can insert a row.
    proof = models.CharField(max_length=64, unique=True, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("object_kind", "object_id", "-id"), name="event_by_object"),
            models.Index(fields=("team_id", "-id"), name="event_by_team"),
            models.Index(fields=("actor_id", "-id"), name="event_by_actor"),
            models.Index(fields=("code", "-id"), name="event_by_code"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.code} {self.object_name}"


class Seal(AppendOnly):
    """An event's place in the chain: the keyed hash over the event and the seal before it."""

    sequence = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"seal {self.sequence}"
