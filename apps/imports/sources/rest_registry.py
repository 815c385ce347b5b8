"""The registry of a live server. Which numbers were given to versions that are gone, it does not say."""

from __future__ import annotations

from typing import Any

from apps.imports.sources.cells import text_of
from apps.imports.sources.rest_client import RestClient
from apps.imports.sources.version_words import version_of
from apps.registry.foreign import ForeignModel, ForeignVersion


def read_models(client: RestClient) -> list[ForeignModel]:
    """All models with their versions, prompts among them."""
    versions: dict[str, list[ForeignVersion]] = {}
    models = {}
    for search in ({}, {"filter": "tags.`mlflow.prompt.is_prompt` = 'true'"}):
        for each in client.pages("GET", "registered-models/search", "registered_models", max_results=100, **search):
            models[text_of(each["name"])] = each
        for each in client.pages("GET", "model-versions/search", "model_versions", max_results=1000, **search):
            of_model = versions.setdefault(text_of(each["name"]), [])
            of_model.append(version_of(int(each["version"]), each, _pairs(each.get("tags"))))
    return [_model(name, each, versions.get(name, [])) for name, each in models.items()]


def _model(name: str, answer: dict[str, Any], versions: list[ForeignVersion]) -> ForeignModel:
    by_number = {version.number: version for version in versions}
    return ForeignModel(
        name=name,
        description=text_of(answer.get("description")),
        created_ms=int(answer.get("creation_timestamp") or 0),
        updated_ms=int(answer.get("last_updated_timestamp") or 0),
        last_number=max(by_number, default=0),
        tags=_pairs(answer.get("tags")),
        aliases={text_of(each["alias"]): int(each["version"]) for each in answer.get("aliases") or ()},
        versions=[by_number[number] for number in sorted(by_number)],
    )


def _pairs(listed: Any) -> dict[str, str]:
    return {text_of(each["key"]): text_of(each.get("value")) for each in listed or ()}
