"""Models, versions and policies as the subjects of audit events, and what events keep of long texts."""

from __future__ import annotations

from collections.abc import Mapping

from apps.audit.actions import Subject
from apps.registry.models import ModelVersion, RegisteredModel

# Events are kept for good; a prompt's text is a tag of up to 100,000 characters.
EXCERPT = 2000


def model_subject(model: RegisteredModel) -> Subject:
    """A model that was fetched with its team."""
    return Subject("registered_model", str(model.pk), model.name, model.team_id, model.team.name)


def version_subject(version: ModelVersion) -> Subject:
    """A version that was fetched with model and team."""
    model = version.model
    return Subject("model_version", str(version.pk), f"{version}", model.team_id, model.team.name)


def excerpt(text: str) -> str:
    """As much of a text as an event keeps."""
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def excerpts(tags: Mapping[str, str]) -> dict[str, str]:
    """As much of tags as an event keeps."""
    return {key: excerpt(value) for key, value in tags.items()}
