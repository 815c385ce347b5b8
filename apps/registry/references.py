"""What `models:/…` names among the registered versions: by number, stage, `latest` or alias."""

from __future__ import annotations

import re
from collections.abc import Sequence

from apps.core.actor import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.registry import access
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.stages import Stage

MAX_STAGES = 100

_PREFIX = "models:/"
_LATEST = "latest"
_NUMBERED = re.compile(r"[vV][0-9]+")


def find_version(actor: Actor, uri: str) -> ModelVersion:
    """The version, with model and team, that a `models:/` address names. Raises `InvalidInput` and `NotFound`."""
    name, slash, suffix = uri.removeprefix(_PREFIX).partition("/")
    if not uri.startswith(_PREFIX) or not name or "/" in suffix or (slash and not suffix):
        raise _improper(uri)
    if not slash:
        name, at, alias = name.rpartition("@")
        if not at or not name or not alias:
            raise _improper(uri)
        return by_alias(access.get_model(actor, name), alias)
    model = access.get_model(actor, name)
    if suffix.isascii() and suffix.isdecimal():
        return access.version_of(model, access.parse_number(suffix))
    return _newest(model, suffix)


def stages_named(written: Sequence[str]) -> tuple[list[str], list[int]]:
    """The stages and the version numbers that a list of stages names: `v3` is version 3, so that `models:/X/v3` works.

    Raises `InvalidInput` for anything else.
    """
    if len(written) > MAX_STAGES:
        raise InvalidInput(f"At most {MAX_STAGES} stages are taken.")
    numbers = [access.parse_number(text[1:]) for text in written if _NUMBERED.fullmatch(text)]
    return [Stage.parse(text).value for text in written if not _NUMBERED.fullmatch(text)], numbers


def by_alias(model: RegisteredModel, alias: str) -> ModelVersion:
    """The version that an alias of a fetched model points at; `latest` is its newest, whatever stage it is in.

    Raises `InvalidInput` for an alias that isn't, as the protocol's server does.
    """
    if alias.lower() == _LATEST:
        return _newest(model, alias)
    found = ModelVersion.objects.filter(aliases__model=model, aliases__name=alias).first()
    if found is None:
        raise InvalidInput(f"Registered model alias {alias[:255]} not found.")
    found.model = model
    return found


def _newest(model: RegisteredModel, suffix: str) -> ModelVersion:
    versions = ModelVersion.objects.filter(model=model).order_by("-number")
    if suffix.lower() != _LATEST:
        versions = versions.filter(stage=Stage.parse(suffix).value)
    found = versions.first()
    if found is None:
        raise NotFound(f"No versions of model with name '{model.name}' and stage '{suffix}' found")
    found.model = model
    return found


def _improper(uri: str) -> InvalidInput:
    return InvalidInput(
        f"Invalid model version source: '{uri[:500]}'. A models:/ address is models:/<model_id>, "
        "models:/<name>/<version>, models:/<name>/<stage>, models:/<name>/latest or models:/<name>@<alias>."
    )
