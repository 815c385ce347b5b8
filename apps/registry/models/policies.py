from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Team
from apps.core.actor import Level
from apps.registry.models.registered_models import RegisteredModel
from apps.registry.querysets import ApproverGroupQuerySet, PolicyQuerySet
from apps.registry.stages import Slot, SlotKind

SLOT_KINDS = [(kind.value, kind.value) for kind in SlotKind]


class ApproverGroup(models.Model):
    """Named people who approve, of the whole site or of one team."""

    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="approver_groups", db_index=False
    )
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="approver_groups", blank=True)
    created_ms = models.BigIntegerField()

    objects = ApproverGroupQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=("team", "name"), name="approver_group_in_team"),
            models.UniqueConstraint(fields=("name",), name="approver_group_of_site", condition=Q(team__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.name


class WhoMoves(models.TextChoices):
    """Who may do without a request what others ask for. Roles are those in the model's team."""

    NOBODY = "", "nobody"
    MAINTAINERS = "maintainer", "maintainers"
    ADMINS = "admin", "admins of the team"
    SITE = "site", "administrators of the site"


class Policy(models.Model):
    """What a slot demands: of one model, of a team's models, or of all of the site (both empty).

    The nearest wins as a whole: the model's, else the team's, else the site's; but a final one of the team or the site
    is not overruled by a nearer one.
    """

    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="policies", db_index=False
    )
    model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.CASCADE, related_name="policies", db_index=False
    )
    slot_kind = models.CharField(max_length=8, choices=SLOT_KINDS)
    slot_name = models.CharField(max_length=255)
    approvals = models.PositiveSmallIntegerField(default=1)
    # Approvers: members of the model's team from this role on (empty: none by role), and the group, and this team.
    approver_role = models.CharField(max_length=16, blank=True, default="maintainer")
    approver_team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approver_group = models.ForeignKey(ApproverGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    allows_self_approval = models.BooleanField(default=False)
    # The level on the model that asking wants.
    ask_level = models.PositiveSmallIntegerField(default=Level.EDIT.value)
    # Break-glass: a move without a request, with a reason, marked and to be reviewed.
    override_by = models.CharField(max_length=16, choices=WhoMoves.choices, blank=True, default=WhoMoves.NOBODY)
    # Going back to what was there before, at once and with a reason.
    rollback_by = models.CharField(max_length=16, choices=WhoMoves.choices, blank=True, default=WhoMoves.ADMINS)
    # [{"kind": "metric", "params": {…}}, …]; `apps.registry.gates` knows the kinds.
    gates = models.JSONField(default=list)
    archives_previous = models.BooleanField(default=True)
    timeout_hours = models.PositiveIntegerField(null=True, blank=True)
    is_final = models.BooleanField(default=False)
    # Moves on with each change.
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_ms = models.BigIntegerField()

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(model__isnull=True), name="policy_of_a_team_or_a_model"
            ),
            models.UniqueConstraint(
                fields=("slot_kind", "slot_name"),
                name="policy_of_site_once",
                condition=Q(team__isnull=True, model__isnull=True),
            ),
            models.UniqueConstraint(fields=("team", "slot_kind", "slot_name"), name="policy_of_team_once"),
            models.UniqueConstraint(fields=("model", "slot_kind", "slot_name"), name="policy_of_model_once"),
        ]

    def __str__(self) -> str:
        return f"{self.slot} of {self.model or self.team or 'the site'}"

    @property
    def slot(self) -> Slot:
        """What it is about."""
        return Slot(SlotKind(self.slot_kind), self.slot_name)
