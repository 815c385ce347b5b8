"""Models and versions in the protocol's shape, each in a constant number of statements for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from apps.experiments.mlflow.shapes import shown_tags
from apps.registry.models import Alias, ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from apps.registry.stages import Stage

Json = dict[str, Any]


def show_version(version: ModelVersion) -> Json:
    """One version."""
    return show_versions([version.pk])[0]


def show_versions(keys: Sequence[int], *, with_aliases: bool = True) -> list[Json]:
    """The versions with these primary keys, in their order. Three statements."""
    versions = ModelVersion.objects.select_related("model", "owner").in_bulk(keys)
    tags: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = ModelVersionTag.objects.filter(version__in=keys).order_by("key").values_list("version_id", "key", "value")
    for version_id, key, value in rows:
        tags[version_id].append((key, value))
    aliases: dict[int, list[str]] = defaultdict(list)
    found = Alias.objects.filter(version__in=keys).order_by("name") if with_aliases else Alias.objects.none()
    for version_id, name in found.values_list("version_id", "name"):
        aliases[version_id].append(name)
    return [_version(versions[key], tags[key], aliases[key]) for key in keys if key in versions]


def show_model(model: RegisteredModel) -> Json:
    """One model, with the latest version of each stage."""
    return show_models([model.pk])[0]


def show_models(keys: Sequence[int]) -> list[Json]:
    """The models with these primary keys, in their order. Six statements."""
    models = RegisteredModel.objects.in_bulk(keys)
    tags: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = RegisteredModelTag.objects.filter(model__in=keys).order_by("key").values_list("model_id", "key", "value")
    for model_id, key, value in rows:
        tags[model_id].append((key, value))
    aliases: dict[int, list[Json]] = defaultdict(list)
    named = Alias.objects.filter(model__in=keys).order_by("name").values_list("model_id", "name", "version__number")
    for model_id, name, number in named:
        aliases[model_id].append({"alias": name, "version": str(number)})
    latest = latest_of(keys)
    # Their aliases stand beside them, as with the protocol's server.
    shown = show_versions([key for _, key in latest], with_aliases=False)
    newest: dict[int, list[Json]] = defaultdict(list)
    for (owner, _), version in zip(latest, shown, strict=False):
        newest[owner].append(version)
    return [_model(models[key], newest[key], tags[key], aliases[key]) for key in keys if key in models]


def latest_of(models: Sequence[int], stages: Sequence[str] = tuple(Stage)) -> list[tuple[int, int]]:
    """`(model, version)`: the primary keys of the latest version of each stage, or of some, oldest version first.

    One statement, which goes by index to one version of each stage, however many there are.
    """
    newest = {f"newest_in_{stage}": Subquery(_newest_in(stage)) for stage in stages}
    found = RegisteredModel.objects.filter(pk__in=models).annotate(**newest).values_list("pk", *newest)
    pairs = [(model, version) for model, *versions in found for version in versions if version is not None]
    return sorted(pairs, key=lambda pair: pair[1])


def _newest_in(stage: str) -> Any:
    versions = ModelVersion.objects.filter(model=OuterRef("pk"), stage=stage)
    return versions.order_by("-number").values("pk")[:1]


def _version(version: ModelVersion, tags: Sequence[tuple[str, str]], aliases: Sequence[str]) -> Json:
    shown: Json = {
        "name": version.model.name,
        "version": str(version.number),
        "creation_timestamp": version.created_ms,
        "last_updated_timestamp": version.updated_ms,
        "current_stage": version.stage,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id,
        "status": version.status,
        "run_link": version.run_link,
    }
    shown |= {"user_id": version.owner.username} if version.owner else {}
    shown |= {"status_message": version.status_message} if version.status_message else {}
    shown |= {"tags": shown_tags(tags)} if tags else {}
    return shown | ({"aliases": list(aliases)} if aliases else {})


def _model(
    model: RegisteredModel, latest: Sequence[Json], tags: Sequence[tuple[str, str]], aliases: Sequence[Json]
) -> Json:
    shown: Json = {
        "name": model.name,
        "creation_timestamp": model.created_ms,
        "last_updated_timestamp": model.updated_ms,
    }
    parts = {"description": model.description, "latest_versions": latest, "aliases": aliases}
    shown |= {name: value for name, value in parts.items() if value}
    return shown | ({"tags": shown_tags(tags)} if tags else {})
