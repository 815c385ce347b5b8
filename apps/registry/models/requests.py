from __future__ import annotations

import time

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.registry.models.policies import SLOT_KINDS
from apps.registry.models.versions import ModelVersion
from apps.registry.querysets import PromotionRequestQuerySet
from apps.registry.stages import Slot, SlotKind


class RequestState(models.TextChoices):
    """An open request ends in one of the others, once. `SUPERSEDED`: another request or a direct move took the slot."""

    OPEN = "open"
    APPLIED = "applied"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class RequestKind(models.TextChoices):
    """A rollback asks that what was in the slot before be there again."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


class PromotionRequest(models.Model):
    """Somebody asks that a version enter a slot.

    `rules` is what the policy demanded when the round began (`apps.registry.policies.Rules` as JSON); a change of the
    policy begins a new round, whose approvals and gates start from nothing. Without a policy `rules` are those of the
    right alone.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=16, choices=RequestKind.choices, default=RequestKind.PROMOTION)
    slot_kind = models.CharField(max_length=8, choices=SLOT_KINDS)
    slot_name = models.CharField(max_length=255)
    from_stage = models.CharField(max_length=16, blank=True)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    requester_name = models.CharField(max_length=150)
    # Whose own it was when they asked, by their keys: it stays so when they give up a role, or delete an account.
    owners = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=RequestState.choices, default=RequestState.OPEN)
    round = models.PositiveIntegerField(default=1)
    rules = models.JSONField(default=dict)
    created_ms = models.BigIntegerField()
    expires_ms = models.BigIntegerField(null=True)
    closed_ms = models.BigIntegerField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)
    # Why it ended, where nobody's decision says it.
    closing_note = models.TextField(blank=True)
    # When the gates have to be looked at anew: now, since facts changed, or later, since a script may log any time.
    # Null: not until somebody says so.
    stale_ms = models.BigIntegerField(null=True)

    objects = PromotionRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("version", "slot_kind", "slot_name", "requester"),
                name="open_request_once",
                condition=Q(state="open"),
            )
        ]
        indexes = [
            models.Index(fields=("state", "-created_ms"), name="request_by_state"),
            models.Index(fields=("requester", "-created_ms"), name="request_by_requester"),
            models.Index(fields=("expires_ms",), name="request_that_expires", condition=Q(state="open")),
            models.Index(fields=("stale_ms",), name="request_with_stale_gates", condition=Q(stale_ms__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.version} to {self.slot}"

    @property
    def slot(self) -> Slot:
        """Where the version is to go."""
        return Slot(SlotKind(self.slot_kind), self.slot_name)

    @property
    def is_stale(self) -> bool:
        """It is open, and its gates wait to be looked at anew."""
        return self.is_open and self.stale_ms is not None and self.stale_ms <= time.time() * 1000

    @property
    def is_open(self) -> bool:
        """Not ended."""
        return self.state == RequestState.OPEN


class Decision(models.Model):
    """Somebody's word on a request, in one round. A second word of the same person is refused."""

    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    round = models.PositiveIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    user_name = models.CharField(max_length=150)
    approves = models.BooleanField()
    comment = models.TextField(blank=True)
    created_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("request", "round", "user"), name="decision_once")]

    def __str__(self) -> str:
        return f"{self.user_name} {'approves' if self.approves else 'rejects'} {self.request}"


class GateState(models.TextChoices):
    """`PENDING`: not evaluated yet, or it waits for something (a check of CI)."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class GateResult(models.Model):
    """What a gate of the policy said in one round, with what it looked at."""

    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="gates", db_index=False)
    round = models.PositiveIntegerField()
    # Its place in the policy's list.
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=GateState.choices, default=GateState.PENDING)
    # A sentence for people, and the values behind it.
    text = models.CharField(max_length=1000, blank=True)
    evidence = models.JSONField(default=dict)
    evaluated_ms = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("request", "round", "place"), name="gate_result_once")]
        ordering = ("place",)

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"

    @property
    def experiments(self) -> list[int]:
        """The keys of those whose values it holds: only their readers are shown text and evidence."""
        keys: list[int] = self.evidence.get("experiments", [])
        return keys
