from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import find_people, find_team, get_team
from apps.accounts.models import Team
from apps.core.actor import Actor, Scope
from apps.core.viewsets import ApiViewSet
from apps.registry import access, actions
from apps.registry.api.shapes import policies as shapes
from apps.registry.api.shapes.slots import slot_of
from apps.registry.api.views.models import NOTHING
from apps.registry.models import ApproverGroup, Policy, RegisteredModel
from apps.registry.policies import Rules


class PolicyViewSet(ApiViewSet):
    """What stages and aliases demand: policies of the site, of one's teams, and of models that one may read."""

    scope = Scope.REGISTRY
    queryset = Policy.objects.none()
    serializer_class = shapes.PolicyShape
    lookup_value_regex = r"\d{1,18}"

    def list(self, request: Request) -> Response:
        found = Policy.objects.visible_to(self.actor)
        return self.page(found.select_related("model__team", "team", "approver_team", "approver_group"))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.PolicyShape(access.get_policy(self.actor, int(pk))).data)

    @extend_schema(request=shapes.NewPolicy, responses={201: shapes.PolicyShape})
    def create(self, request: Request) -> Response:
        """Set a slot's policy, in place of what was set before; for administrators of the team, or the site."""
        given = self.parsed(shapes.NewPolicy)
        team, model = _owner(self.actor, given)
        access.require_policies(self.actor, model.team if model else team)
        policy = actions.set_policy(
            self.actor, team=team, model=model, slot=slot_of(given), rules=_rules(self.actor, given)
        )
        return Response(shapes.PolicyShape(access.get_policy(self.actor, policy.pk)).data, 201)

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        """Let the next wider one govern, or the right alone."""
        actions.delete_policy(self.actor, policy=access.get_policy(self.actor, int(pk)))
        return Response(status=204)


class GroupViewSet(ApiViewSet):
    """Groups of approvers, of the site and of one's teams."""

    scope = Scope.REGISTRY
    queryset = ApproverGroup.objects.none()
    serializer_class = shapes.GroupShape
    lookup_value_regex = r"\d{1,18}"

    def list(self, request: Request) -> Response:
        found = ApproverGroup.objects.visible_to(self.actor).select_related("team").prefetch_related("members")
        groups = self.paginate_queryset(found) or []
        return self.get_paginated_response([_group(self.actor, group) for group in groups])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_group(self.actor, access.get_group(self.actor, int(pk))))

    @extend_schema(request=shapes.NewGroup, responses={201: shapes.GroupShape})
    def create(self, request: Request) -> Response:
        given = self.parsed(shapes.NewGroup)
        team = get_team(self.actor, given.pop("team")) if "team" in given else None
        access.require_policies(self.actor, team)
        made = actions.create_group(self.actor, team=team, **_with_people(self.actor, given))
        return Response(_group(self.actor, made), 201)

    @extend_schema(request=shapes.GroupChange, responses=shapes.GroupShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        group = access.get_group(self.actor, int(pk))
        access.require_policies(self.actor, group.team)
        given = self.parsed(shapes.GroupChange)
        changed = actions.change_group(self.actor, group=group, **_with_people(self.actor, given))
        return Response(_group(self.actor, changed))

    @extend_schema(responses=NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        actions.delete_group(self.actor, group=access.get_group(self.actor, int(pk)))
        return Response(status=204)


def _owner(actor: Actor, given: dict[str, Any]) -> tuple[Team | None, RegisteredModel | None]:
    if "name" in given:
        return None, access.get_model_in(actor, given["team"], given["name"])
    return (get_team(actor, given["team"]) if "team" in given else None), None


def _rules(actor: Actor, given: dict[str, Any]) -> Rules:
    team = given.get("approver_team")
    return Rules(
        approvals=given["approvals"],
        approver_role=given["approver_role"],
        approver_team=find_team(actor, team).pk if team else None,
        approver_group=given.get("approver_group"),
        allows_self_approval=given["allows_self_approval"],
        ask_level=shapes.LEVELS[given["ask_level"]].value,
        override_by=given["override_by"],
        rollback_by=given["rollback_by"],
        gates=tuple(dict(gate) for gate in given["gates"]),
        archives_previous=given["archives_previous"],
        timeout_hours=given["timeout_hours"],
        is_final=given["is_final"],
    )


def _with_people(actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    return given | ({"members": list(find_people(actor, given["members"]).values())} if "members" in given else {})


def _group(actor: Actor, group: ApproverGroup) -> Any:
    """The group with its members' names, for those who may know them."""
    known = access.knows_members(actor, group)
    group.shown_members = sorted(user.username for user in group.members.all()) if known else None  # type: ignore[attr-defined]
    return shapes.GroupShape(group).data
