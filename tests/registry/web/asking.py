"""A model with policies and requests for the tests of pages about promotion."""

from __future__ import annotations

from typing import Any

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.experiments.actions import now_ms
from apps.registry import actions
from apps.registry.models import ModelVersion, Policy, PromotionRequest, RegisteredModel
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.models import make_model, make_version

HTMX = {"HX-Request": "true"}
PRODUCTION = Slot.stage("Production")


def make_policy(slot: Slot = PRODUCTION, **more: Any) -> Policy:
    """A policy; of the site unless `team` or `model` says whose."""
    return Policy.objects.create(slot_kind=slot.kind, slot_name=slot.name, changed_ms=now_ms(), **more)


def make_asked(
    people: People, *, name: str = "iris", slot: Slot = PRODUCTION, comment: str = "better on the new data"
) -> PromotionRequest:
    """Ada asks that a version of hers enter a slot."""
    found = RegisteredModel.objects.filter(name=name).select_related("team").first()
    version = make_version(people.ada, found or make_model(people.ada, name))
    return asked_for(people.ada, version, slot, comment)


def asked_for(persona: Persona, version: ModelVersion, slot: Slot = PRODUCTION, comment: str = "") -> PromotionRequest:
    """A persona asks that a version enter a slot."""
    return actions.ask(persona.actor, version=version, slot=slot, comment=comment)


def make_maintainer(people: People, name: str = "mia") -> Persona:
    """One more maintainer of forge, so that two can approve."""
    user = accounts.create_user(
        system_actor(), username=name, password=PASSWORD, team=people.forge, role=Role.MAINTAINER
    )
    return Persona(user, token_for(user))
