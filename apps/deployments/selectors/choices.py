"""What people choose from when they deploy: models, and versions of one."""

from __future__ import annotations

from collections.abc import Sequence

from apps.core.actor import Actor
from apps.deployments.models import Deployment, Following
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from apps.registry.models.versions import VersionStatus
from apps.registry.stages import Stage

_MOST_VERSIONS = 200
_MOST_MODELS = 500


def models_to_deploy(actor: Actor) -> list[RegisteredModel]:
    """Models of the actor's lists that have versions, with team, by name."""
    found = RegisteredModel.objects.listed_for(actor).filter(is_prompt=False, last_number__gt=0)
    return list(found.select_related("team").order_by("name")[:_MOST_MODELS])


def versions_to_deploy(model: RegisteredModel, also: ModelVersion | None = None) -> list[ModelVersion]:
    """The newest versions of a model that name files; with one more, which may be an old one."""
    found = ModelVersion.objects.filter(model=model).exclude(folder="").order_by("-number")
    versions = list(found.select_related("model__team")[:_MOST_VERSIONS])
    if also is not None and also.number not in {one.number for one in versions}:
        versions.append(also)
    return versions


def usual_version(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """What is deployed unless somebody says otherwise: that in production, else the newest that is ready."""
    of_stage = [one for one in versions if one.stage == Stage.PRODUCTION.value]
    ready = [one for one in versions if one.status == VersionStatus.READY]
    return next(iter([*of_stage, *ready, *versions]), None)


def aliases_of(model: RegisteredModel) -> list[tuple[str, int]]:
    """The aliases of a model with the number of the version that each points at."""
    found = Alias.objects.filter(model=model).order_by("name")
    return list(found.values_list("name", "version__number")[:_MOST_VERSIONS])


def held_by(model: RegisteredModel, kind: str, name: str) -> int | None:
    """The number of the version that a stage or an alias has now; None where it has none."""
    found = ModelVersion.objects.filter(model=model)
    match kind:
        case Following.STAGE:
            found = found.filter(stage=name)
        case Following.ALIAS:
            found = found.filter(aliases__name=name)
        case _:
            return None
    return found.order_by("-number").values_list("number", flat=True).first()


def free_name(model: RegisteredModel) -> str:
    """The model's name as a deployment may be called, with a number where that is taken. Two statements at most."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in model.name.lower())
    base = "-".join(part for part in letters.split("-") if part)[:55].strip("-") or "model"
    taken = set(Deployment.objects.filter(name__startswith=base).values_list("name", flat=True)[:1000])
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1100))) if name not in taken)
