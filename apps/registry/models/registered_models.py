from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Left

from apps.accounts.models import Team
from apps.registry.querysets import RegisteredModelQuerySet

INDEXED_LENGTH = 128


class RegisteredModel(models.Model):
    """A named model with numbered versions. Names are unique within a team; times are milliseconds since the epoch."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="registered_models", db_index=False)
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True)
    # Prompts are registered models with a tag; kept beside the tags, since every list parts them.
    is_prompt = models.BooleanField(default=False)
    # The highest number that was ever given: numbers never come again.
    last_number = models.PositiveIntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = RegisteredModelQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "name"), name="registered_model_name_in_team")]
        indexes = [
            models.Index(fields=("team", "is_prompt", "-updated_ms"), name="registered_model_recent"),
            models.Index(fields=("name",), name="registered_model_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class RegisteredModelTag(models.Model):
    """A label of a registered model; may be overwritten."""

    pk = models.CompositePrimaryKey("model_id", "key")
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250)
    value = models.TextField()

    class Meta:
        indexes = [models.Index("key", Left("value", INDEXED_LENGTH), "model", name="registered_model_tag_by_value")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
