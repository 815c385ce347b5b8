"""Prompts that are written here: models and versions with the tags under which clients keep a prompt."""

from __future__ import annotations

from django.db import transaction

from apps.core.actor import Actor
from apps.registry.actions.models import create_model
from apps.registry.actions.versions import create_version
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.names import PROMPT_KIND_TAG, PROMPT_TAG, PROMPT_TEXT_TAG
from apps.registry.sources import PROMPT_SOURCE

_MARK = (PROMPT_TAG, "true")


def create_prompt(actor: Actor, *, name: str, text: str, description: str = "", message: str = "") -> ModelVersion:
    """A prompt with its first version, in the team that the actor speaks for. Raises as `create_model` does."""
    with transaction.atomic():
        model = create_model(actor, name=name, description=description, tags=[_MARK])
        return write_prompt(actor, model=model, text=text, message=message)


def write_prompt(actor: Actor, *, model: RegisteredModel, text: str, message: str = "") -> ModelVersion:
    """The next version of a prompt; `message` says what is new in it. Raises as `create_version` does."""
    tags = [_MARK, (PROMPT_TEXT_TAG, text), (PROMPT_KIND_TAG, "text")]
    return create_version(actor, model=model, source=PROMPT_SOURCE, description=message, tags=tags)
