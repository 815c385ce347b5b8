"""Where things of the registry are seen, as paths: for pages, messages and errors; and what clients call versions."""

from __future__ import annotations

from urllib.parse import quote

from apps.registry.models import ModelVersion, PromotionRequest, RegisteredModel


def model_url(model: RegisteredModel) -> str:
    """The page of a model (or prompt) that was fetched with its team."""
    place = "prompts" if model.is_prompt else "models"
    return f"/{place}/{quote(model.team.name, safe='')}/{quote(model.name, safe='')}/"


def version_url(version: ModelVersion) -> str:
    """The page of a version that was fetched with its model and team."""
    if version.model.is_prompt:
        return f"{model_url(version.model)}?version={version.number}"
    return f"{model_url(version.model)}versions/{version.number}/"


def version_uri(version: ModelVersion) -> str:
    """How clients name a version that was fetched with its model: `models:/name/1`."""
    return f"models:/{version.model.name}/{version.number}"


def request_url(request: PromotionRequest) -> str:
    """The page of a promotion request."""
    return f"/approvals/{request.pk}/"
