from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.registry.actions.common import MAX_COMMENT
from apps.registry.api.shapes.models import Words
from apps.registry.api.shapes.slots import SlotFields, SlotShape
from apps.registry.models import Decision, RequestKind, RequestState
from apps.registry.selectors.approvals import Line
from apps.registry.selectors.requests import GateView

VIEWS = ("all", "to_decide", "asked", "decided")
_LATEST = 2**53


class RequestShape(SlotShape):
    """A promotion request. `round` moves on whenever what the slot demands changes; approvals are of this round."""

    id = serializers.CharField(source="pk")
    kind = serializers.ChoiceField(RequestKind.choices)
    team = serializers.CharField(source="version.model.team.name")
    name = serializers.CharField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    from_stage = serializers.CharField()
    requester = serializers.CharField(source="requester_name")
    comment = serializers.CharField()
    state = serializers.ChoiceField(RequestState.choices)
    round = serializers.IntegerField()
    created_ms = serializers.IntegerField()
    expires_ms = serializers.IntegerField(allow_null=True)
    closed_ms = serializers.IntegerField(allow_null=True)
    closed_by = serializers.CharField()
    closing_note = serializers.CharField()


class RequestLine(serializers.Serializer[Line]):
    """A request as lists show it."""

    request = RequestShape()
    needed_approvals = serializers.IntegerField(source="needed")
    approvals = serializers.IntegerField()
    gates = serializers.IntegerField()
    failed_gates = serializers.IntegerField(source="failed")
    pending_gates = serializers.IntegerField(source="pending")


class GateShape(serializers.Serializer[GateView]):
    """A gate; `text` is empty and `is_hidden` where its values are of a run that the caller may not read."""

    title = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    is_hidden = serializers.BooleanField()
    evaluated_ms = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="The path of what it judges by, or of where that is started; often empty.")


class DecisionShape(serializers.Serializer[Decision]):
    """Somebody's word."""

    user = serializers.CharField(source="user_name")
    approves = serializers.BooleanField()
    comment = serializers.CharField()
    round = serializers.IntegerField()
    created_ms = serializers.IntegerField()


class RequestPageShape(serializers.Serializer[Any]):
    """A request with its evidence and what the caller may do with it."""

    request = RequestShape()
    needed_approvals = serializers.IntegerField(source="needed")
    approvals = serializers.IntegerField()
    rules = serializers.ListField(child=serializers.CharField(), source="words", help_text="The policy in words.")
    gates = GateShape(many=True)
    decisions = DecisionShape(many=True)
    earlier_decisions = DecisionShape(many=True, source="earlier")
    approvers = serializers.ListField(child=serializers.CharField())
    may_decide = serializers.BooleanField()
    may_reject = serializers.BooleanField()
    may_cancel = serializers.BooleanField()
    why_not = serializers.CharField()


class RequestQuery(serializers.Serializer[Any]):
    view = serializers.ChoiceField(VIEWS, default="all")
    state = serializers.ChoiceField(RequestState.choices, required=False)
    team = serializers.CharField(max_length=63, required=False)
    name = serializers.CharField(max_length=256, required=False, help_text="Of the model.")


class NewRequest(SlotFields):
    comment = Words(max_length=MAX_COMMENT, default="")


class Word(serializers.Serializer[Any]):
    """`round` is the one that the caller saw: in another one the word is refused."""

    comment = Words(max_length=MAX_COMMENT, default="")
    round = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class Approval(Word):
    """`archive_existing` is asked where no policy says it."""

    archive_existing = serializers.BooleanField(required=False)


class Withdrawal(serializers.Serializer[Any]):
    comment = Words(max_length=MAX_COMMENT, default="")


class Rollback(SlotFields):
    """`version` is the number that the caller expects to come back."""

    reason = Words(max_length=MAX_COMMENT)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class PlacementShape(SlotShape):
    """That a version was in a slot; `until_ms` null: it still is."""

    team = serializers.CharField(source="team.name", default=None, allow_null=True)
    name = serializers.CharField(source="model_name")
    version = serializers.IntegerField(source="number")
    from_ms = serializers.IntegerField()
    until_ms = serializers.IntegerField(allow_null=True)
    entered_by = serializers.CharField()
    entered_note = serializers.CharField()
    left_by = serializers.CharField()
    left_note = serializers.CharField()
    request = serializers.CharField(source="request_id", allow_null=True)
    is_rollback = serializers.BooleanField()
    is_override = serializers.BooleanField()


class RolledBackShape(serializers.Serializer[Any]):
    """What a rollback became: at once, or a request."""

    placement = PlacementShape(allow_null=True)
    request = RequestShape(allow_null=True)


class PlacementQuery(serializers.Serializer[Any]):
    """The names are those of then: also of models that were renamed or deleted. At most one of a stage and an alias."""

    team = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=256)
    stage = serializers.CharField(max_length=100, required=False)
    alias = serializers.CharField(max_length=255, required=False)
    at = serializers.DateTimeField(required=False, help_text="What was in place then.")
    at_ms = serializers.IntegerField(min_value=0, max_value=_LATEST, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Not both of them."""
        if "stage" in attrs and "alias" in attrs:
            raise serializers.ValidationError({"stage": "Name a stage, or an alias."})
        return attrs


class OverrideShape(SlotShape):
    """A move past a policy, and what somebody else thought of it."""

    id = serializers.CharField(source="pk")
    team = serializers.CharField(source="team.name", default=None, allow_null=True)
    name = serializers.CharField(source="model_name")
    version = serializers.IntegerField(source="number")
    text = serializers.CharField()
    reason = serializers.CharField()
    made_by = serializers.CharField()
    made_ms = serializers.IntegerField()
    reviewed_by = serializers.CharField()
    reviewed_ms = serializers.IntegerField(allow_null=True)
    review = serializers.CharField()
    is_own_review = serializers.BooleanField()


class OverrideQuery(serializers.Serializer[Any]):
    is_reviewed = serializers.BooleanField(required=False, allow_null=True, default=None)


class Review(serializers.Serializer[Any]):
    review = Words(max_length=MAX_COMMENT)
