from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Team
from apps.registry.models.policies import SLOT_KINDS
from apps.registry.models.registered_models import RegisteredModel
from apps.registry.models.requests import PromotionRequest
from apps.registry.models.versions import ModelVersion
from apps.registry.querysets import OverrideQuerySet, PlacementQuerySet
from apps.registry.stages import Slot, SlotKind


class Placement(models.Model):
    """That a version was in a slot, from when until when, and why. The stage None has none.

    Frozen names, so that the history still reads when model, version and people are gone.
    """

    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    model = models.ForeignKey(
        RegisteredModel, null=True, on_delete=models.SET_NULL, related_name="placements", db_index=False
    )
    model_name = models.CharField(max_length=256)
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="placements")
    number = models.PositiveIntegerField()
    slot_kind = models.CharField(max_length=8, choices=SLOT_KINDS)
    slot_name = models.CharField(max_length=255)
    from_ms = models.BigIntegerField()
    until_ms = models.BigIntegerField(null=True)
    entered_by = models.CharField(max_length=150)
    entered_note = models.TextField(blank=True)
    left_by = models.CharField(max_length=150, blank=True)
    left_note = models.TextField(blank=True)
    request = models.ForeignKey(PromotionRequest, null=True, on_delete=models.SET_NULL, related_name="placements")
    is_rollback = models.BooleanField(default=False)
    # Somebody broke the glass: it went past the policy.
    is_override = models.BooleanField(default=False)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=("model", "slot_kind", "slot_name", "-from_ms"), name="placement_by_slot"),
            models.Index(fields=("team", "model_name", "-from_ms"), name="placement_by_name"),
            models.Index(fields=("version",), name="placement_now", condition=Q(until_ms__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} version {self.number} in {self.slot}"

    @property
    def slot(self) -> Slot:
        """Where it was."""
        return Slot(SlotKind(self.slot_kind), self.slot_name)


class Override(models.Model):
    """A move past the policy: who broke the glass and why, and who looked at it afterwards.

    Also of moves that left no placement: out of a slot, or an alias that was deleted.
    """

    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.ForeignKey(RegisteredModel, null=True, on_delete=models.SET_NULL, related_name="overrides")
    model_name = models.CharField(max_length=256)
    number = models.PositiveIntegerField()
    slot_kind = models.CharField(max_length=8, choices=SLOT_KINDS)
    slot_name = models.CharField(max_length=255)
    # What was done, as a sentence.
    text = models.CharField(max_length=1000)
    reason = models.TextField()
    made_by = models.CharField(max_length=150)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_ms = models.BigIntegerField()
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reviewed_by = models.CharField(max_length=150, blank=True)
    reviewed_ms = models.BigIntegerField(null=True)
    review = models.TextField(blank=True)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=("-made_ms",), name="override_recent")]

    def __str__(self) -> str:
        return f"{self.made_by}: {self.text}"

    @property
    def slot(self) -> Slot:
        """Where the version went, or came from."""
        return Slot(SlotKind(self.slot_kind), self.slot_name)

    @property
    def is_own_review(self) -> bool:
        """Who broke the glass reviewed it too: the one administrator of a site may."""
        return bool(self.reviewed_by) and self.reviewed_by == self.made_by
