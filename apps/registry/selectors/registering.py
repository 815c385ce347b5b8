"""What can be registered from a run or logged model, where it can go, and what came of it."""

from __future__ import annotations

from apps.core.actor import Actor, Level
from apps.experiments.models import LoggedModel, ModelLink, Run
from apps.registry.models import ModelVersion, RegisteredModel

_CHOICES = 500
_SHOWN = 50


def sources_of_run(run: Run) -> list[tuple[str, str]]:
    """What a run left to register, as (source, name): the logged models that it made."""
    links = ModelLink.objects.filter(run=run, direction=ModelLink.Direction.OUTPUT)
    made = LoggedModel.objects.active().filter(pk__in=links.values("model_id")).order_by("-created_ms")[:_CHOICES]
    return [source_of_logged_model(model) for model in made]


def source_of_logged_model(model: LoggedModel) -> tuple[str, str]:
    """The source that names a logged model, and its name."""
    return f"models:/{model.model_id}", f"{model.name} ({model.model_id})"


def models_to_add_to(actor: Actor) -> list[tuple[str, str]]:
    """Models of the actor's lists that may get a version, as (key, name). Those of other teams name it."""
    found = RegisteredModel.objects.listed_for(actor).filter(is_prompt=False).select_related("team").order_by("name")
    # Who was granted less than the right to edit is refused when the form is sent.
    return [(str(model.pk), _named(actor, model)) for model in found[:_CHOICES] if _may_be_edited(actor, model)]


def registered_from(actor: Actor, *, run: Run | None = None, logged: LoggedModel | None = None) -> list[ModelVersion]:
    """The versions made of a run or logged model, of the models that the actor may read; newest first."""
    found = ModelVersion.objects.visible_to(actor).select_related("model__team").prefetch_related("aliases")
    found = found.filter(source_run=run) if run else found.filter(logged_model=logged)
    return list(found.order_by("-created_ms", "-pk")[:_SHOWN])


def _named(actor: Actor, model: RegisteredModel) -> str:
    return model.name if model.team_id == actor.team_id else f"{model.name} ({model.team.name})"


def _may_be_edited(actor: Actor, model: RegisteredModel) -> bool:
    return model.team_id not in actor.roles or actor.level_in(model.team_id) >= Level.EDIT or actor.is_admin
