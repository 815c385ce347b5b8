"""Models, versions and policies of these tests, made through actions."""

from __future__ import annotations

from typing import Any

from apps.experiments.actions.common import now_ms
from apps.registry import actions
from apps.registry.models import ModelVersion, Override, Policy, RegisteredModel
from apps.registry.policies import Rules
from apps.registry.stages import Slot, Stage
from tests.personas import People, Persona

PRODUCTION = Slot.stage(Stage.PRODUCTION)
STAGING = Slot.stage(Stage.STAGING)


def make_model(owner: Persona, name: str = "iris-classifier") -> RegisteredModel:
    """A model of the owner's team."""
    return actions.create_model(owner.actor, name=name)


def make_version(owner: Persona, model: RegisteredModel) -> ModelVersion:
    """The next version, made by the owner; its source names nothing that exists."""
    return actions.create_version(owner.actor, model=model, source=f"runs:/{'0' * 32}/model")


def set_policy(people: People, slot: Slot = PRODUCTION, **demands: Any) -> Policy:
    """A policy of the site."""
    return actions.set_policy(people.root.actor, slot=slot, rules=Rules(**{"approver_role": "maintainer", **demands}))


def stage_of(version: ModelVersion) -> str:
    """The stage as it is stored."""
    return ModelVersion.objects.get(pk=version.pk).stage


def promotion_ids(people: People) -> dict[str, str]:
    """A group of approvers of forge, and a move past a policy that waits for its review: ids for the doors."""
    group = actions.create_group(people.root.actor, team=people.forge, name="board", members=[people.ben.user])
    override = Override.objects.create(
        team=people.forge,
        model_name="gone",
        number=1,
        slot_kind=PRODUCTION.kind,
        slot_name=PRODUCTION.name,
        text="moved version 1 from None to Production",
        reason="it burns",
        made_by="max",
        maker=people.max.user,
        made_ms=now_ms(),
    )
    return {"group": str(group.pk), "override": str(override.pk)}
