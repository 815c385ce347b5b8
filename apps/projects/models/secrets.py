from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Team
from apps.projects.querysets import SecretQuerySet

secret_name_validator = RegexValidator(
    r"^[A-Z][A-Z0-9_]{0,99}\Z", _("Capital letters, digits and underscores, as variables are named.")
)


class Secret(models.Model):
    """A value that runs of a team are given as a variable of its name. It is never shown again."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="secrets", db_index=False)
    name = models.CharField(max_length=100, validators=[secret_name_validator])
    # `apps.core.encryption.seal`.
    sealed = models.TextField()
    description = models.CharField(max_length=500, blank=True)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()
    updated_by = models.CharField(max_length=150)
    used_ms = models.BigIntegerField(null=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("team", "name"), name="secret_name_in_team")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
