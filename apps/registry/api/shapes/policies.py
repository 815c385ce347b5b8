from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.actor import Level
from apps.registry.actions.groups import MAX_DESCRIPTION, MAX_MEMBERS, MAX_NAME
from apps.registry.actions.policies import APPROVER_ROLES, ASK_LEVELS, MAX_APPROVALS, MAX_TIMEOUT_HOURS
from apps.registry.api.shapes.models import Words
from apps.registry.api.shapes.slots import SlotFields, SlotShape
from apps.registry.gates.kinds import MOST_GATES
from apps.registry.models import ApproverGroup, WhoMoves
from apps.registry.names import MAX_MODEL_NAME

LEVELS = {level.word: level for level in ASK_LEVELS}


class GateFields(serializers.Serializer[Any]):
    """A gate by its kind; what `params` it takes, the kind says."""

    kind = serializers.CharField(max_length=32)
    params = serializers.DictField(default=dict)


class PolicyShape(SlotShape):
    """What a slot demands. Of the site where team and model are null."""

    id = serializers.CharField(source="pk")
    team = serializers.SerializerMethodField()
    name = serializers.CharField(source="model.name", default=None, allow_null=True)
    approvals = serializers.IntegerField()
    approver_role = serializers.CharField()
    approver_team = serializers.CharField(source="approver_team.name", default=None, allow_null=True)
    approver_group = serializers.IntegerField(source="approver_group_id", allow_null=True)
    approver_group_name = serializers.CharField(source="approver_group.name", default=None, allow_null=True)
    allows_self_approval = serializers.BooleanField()
    ask_level = serializers.SerializerMethodField()
    override_by = serializers.CharField()
    rollback_by = serializers.CharField()
    gates = GateFields(many=True)
    archives_previous = serializers.BooleanField()
    timeout_hours = serializers.IntegerField(allow_null=True)
    is_final = serializers.BooleanField()
    revision = serializers.IntegerField()
    changed_by = serializers.CharField()
    changed_ms = serializers.IntegerField()

    def get_team(self, policy: Any) -> str | None:
        """The team whose it is, or whose model's."""
        owner = policy.model.team if policy.model else policy.team
        return owner.name if owner else None

    def get_ask_level(self, policy: Any) -> str:
        """The right that asking wants."""
        return Level(policy.ask_level).word


class NewPolicy(SlotFields):
    """Of a model where `team` and `name` are given, of a team where `team` is, of the site else.

    It replaces the policy of the same slot as a whole.
    """

    team = serializers.CharField(max_length=63, required=False)
    name = serializers.CharField(max_length=MAX_MODEL_NAME, required=False)
    approvals = serializers.IntegerField(min_value=1, max_value=MAX_APPROVALS, default=1)
    approver_role = serializers.ChoiceField(APPROVER_ROLES, default="maintainer", allow_blank=True)
    approver_team = serializers.CharField(max_length=63, required=False, allow_null=True)
    approver_group = serializers.IntegerField(min_value=1, max_value=2**53, required=False, allow_null=True)
    allows_self_approval = serializers.BooleanField(default=False)
    ask_level = serializers.ChoiceField(list(LEVELS), default=Level.EDIT.word)
    override_by = serializers.ChoiceField(WhoMoves.choices, default=WhoMoves.NOBODY.value, allow_blank=True)
    rollback_by = serializers.ChoiceField(WhoMoves.choices, default=WhoMoves.ADMINS.value, allow_blank=True)
    gates = serializers.ListField(child=GateFields(), default=list, max_length=MOST_GATES)
    archives_previous = serializers.BooleanField(default=True)
    timeout_hours = serializers.IntegerField(
        min_value=1, max_value=MAX_TIMEOUT_HOURS, required=False, allow_null=True, default=None
    )
    is_final = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A model is named with its team."""
        if "name" in attrs and "team" not in attrs:
            raise serializers.ValidationError({"team": "A model is named with its team."})
        return super().validate(attrs)


class GroupShape(serializers.Serializer[ApproverGroup]):
    """Named people who approve. `members` is null for who may not know them."""

    id = serializers.CharField(source="pk")
    team = serializers.CharField(source="team.name", default=None, allow_null=True)
    name = serializers.CharField()
    description = serializers.CharField()
    members = serializers.ListField(child=serializers.CharField(), source="shown_members", allow_null=True)
    created_ms = serializers.IntegerField()


class GroupChange(serializers.Serializer[Any]):
    name = Words(max_length=MAX_NAME, required=False)
    description = Words(max_length=MAX_DESCRIPTION, required=False)
    members = serializers.ListField(child=serializers.CharField(max_length=150), required=False, max_length=MAX_MEMBERS)


class NewGroup(GroupChange):
    """Of a team where it is given, of the site else."""

    name = Words(max_length=MAX_NAME)
    team = serializers.CharField(max_length=63, required=False)
