"""What calls name: a version, a configuration, what to follow, a port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.deployments import access
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment, Following, FollowMode, Revision
from apps.deployments.ports import Port
from apps.deployments.serve.references import Unversioned, parse_reference
from apps.registry import access as registry
from apps.registry.models import ModelVersion
from apps.registry.references import find_version
from apps.registry.stages import Stage

_ADDRESS = "models:/"
FOLLOW_FIELDS = ("follows", "followed", "follow_mode")
PORT_FIELDS = ("port", "port_host", "port_open")


def version_asked(actor: Actor, given: Mapping[str, Any], deployment: Deployment | None = None) -> ModelVersion:
    """The version that a call names by address, or by model and number; of a deployment else the one that is wanted.

    Names are looked up in the team that the call speaks for; of a deployment, where its model is. Raises `DomainError`.
    """
    usual = deployment.model if deployment is not None else None
    looking = actor.speaking_for(usual.team_id) if usual is not None else actor
    written = given.get("version")
    if written is None:
        if "model" in given or "model_team" in given:
            raise InvalidInput("version: a number is wanted beside the model.")
        return _wanted_version(looking, deployment)
    if written.startswith(_ADDRESS):
        if "model" in given or "model_team" in given:
            raise InvalidInput("model: the version names its model already.")
        return _by_address(looking, written)
    if not (written.isascii() and written.isdecimal()):
        raise InvalidInput(f"version: '{written[:100]}' is neither a number nor an address such as models:/iris/1.")
    if "model_team" in given and "model" not in given:
        raise InvalidInput("model: name the model of that team.")
    if "model_team" in given:
        return registry.get_version_in(actor, given["model_team"], given["model"], written)
    if "model" in given:
        return registry.get_version(looking, given["model"], written)
    if usual is None:
        raise InvalidInput("model: name the registered model, or write the version as models:/iris/1.")
    return registry.get_version_in(actor, usual.team.name, usual.name, written)


def config_asked(given: Mapping[str, Any], kept: Mapping[str, Any] | None = None) -> Config | None:
    """What is kept with what a call changes of it; None where it names nothing.

    Null makes a field as usual, and takes a variable away. Raises `InvalidInput` that names the field.
    """
    if "config" not in given:
        return None
    changes: Mapping[str, Any] = given["config"]
    named = {**(kept or {}), **changes}
    if isinstance(changes.get("env_vars"), Mapping):
        variables = {**(kept or {}).get("env_vars", {}), **changes["env_vars"]}
        named["env_vars"] = {name: value for name, value in variables.items() if value is not None}
    left_out = [name for name, value in changes.items() if value is None]
    for name in left_out:
        if name not in Config.__struct_fields__:
            raise InvalidInput(f"config: there is no '{name[:100]}'.")
    return Config.from_json({name: value for name, value in named.items() if name not in left_out})


def follow_asked(given: Mapping[str, Any], now: Follow) -> Follow:
    """What it follows then."""
    changed = now
    if "follows" in given:
        kind = Following(given["follows"])
        # What was followed before is no alias of the other kind.
        changed = replace(changed, kind=kind, name=now.name if kind == now.kind else "")
    if "followed" in given:
        changed = replace(changed, name=given["followed"])
    if "follow_mode" in given:
        changed = replace(changed, mode=FollowMode(given["follow_mode"]))
    return changed


def port_asked(given: Mapping[str, Any], now: Port) -> Port:
    """Its port then. Null takes it away, with what was said of it."""
    if given.get("port", now.number) is None:
        now = Port()
    names = {"port": "number", "port_host": "host", "port_open": "is_open"}
    return replace(now, **{names[name]: given[name] for name in PORT_FIELDS if name in given})


def canary_asked(actor: Actor, deployment: Deployment, number: int | None) -> Revision:
    """A canary by its number, else the only one there is. Raises `Conflict` where there is none, or several."""
    if number is not None:
        return access.get_revision(actor, deployment, number)
    found = list(Revision.objects.visible_to(actor).filter(deployment=deployment, is_canary=True)[:2])
    if len(found) != 1:
        has = "has no canary" if not found else "has several canaries: name one by its revision"
        raise Conflict(f"{deployment.name} {has}.")
    return found[0]


def weights_asked(given: Mapping[str, int]) -> dict[int, int]:
    """Percents by number. Raises `InvalidInput` for names that are no numbers."""
    for number in given:
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            raise InvalidInput(f"weights: '{number[:50]}' is no number of a revision.")
    if len({int(number) for number in given}) < len(given):
        raise InvalidInput("weights: a revision is named twice.")
    return {int(number): weight for number, weight in given.items()}


def _wanted_version(actor: Actor, deployment: Deployment | None) -> ModelVersion:
    wanted = deployment.wanted if deployment is not None else None
    if wanted is None:
        raise InvalidInput("version: name one.")
    if wanted.version_id is None:
        raise Conflict(f"{wanted.model_name} version {wanted.version_number} was deleted: name another version.")
    return registry.get_version_by_id(actor, wanted.version_id)


def _by_address(actor: Actor, uri: str) -> ModelVersion:
    reference = parse_reference(uri)
    if isinstance(reference, Unversioned):
        return _unversioned(actor, reference.name)
    return find_version(actor, uri)


def _unversioned(actor: Actor, name: str) -> ModelVersion:
    """What is in Production, else the newest with files: as `slipway models serve` takes it."""
    model = registry.get_model(actor, name)
    versions = ModelVersion.objects.filter(model=model).exclude(folder="").order_by("-number")
    found = versions.filter(stage=Stage.PRODUCTION.value).first() or versions.first()
    if found is None:
        raise NotFound(f"{name} has no version that can be served.")
    found.model = model
    return found
