"""Models and versions for the tests of pages, as rows: what actions make of calls is tested elsewhere."""

from __future__ import annotations

from typing import Any

from apps.experiments.actions import now_ms
from apps.registry.models import ModelVersion, RegisteredModel
from tests.personas import Persona


def make_model(persona: Persona, name: str = "iris", **more: Any) -> RegisteredModel:
    """A model of the persona's team."""
    actor, now = persona.actor, now_ms()
    assert actor.team_id is not None
    made = RegisteredModel.objects.create(
        team_id=actor.team_id, name=name, owner_id=actor.user_id, created_ms=now, updated_ms=now, **more
    )
    return RegisteredModel.objects.select_related("team").get(pk=made.pk)


def make_version(persona: Persona, model: RegisteredModel, **more: Any) -> ModelVersion:
    """The next version of a model."""
    now = now_ms()
    model.last_number += 1
    model.save(update_fields=["last_number"])
    return ModelVersion.objects.create(
        model=model,
        number=model.last_number,
        owner_id=persona.actor.user_id,
        created_ms=now,
        updated_ms=now,
        **more,
    )
