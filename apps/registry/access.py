"""Fetching is authorising: each function returns the object if the actor has the level, else raises.

Not visible is `NotFound`, in the protocol's words; visible but too weak is `PermissionDenied`. Whoever made a model may
manage it as long as they may still edit it; but moving versions among stages goes by role and grant alone
(`stage_level`): nobody gets a model into production by having made it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Model, QuerySet

from apps.accounts.access import level_on, require, require_admin
from apps.accounts.confinement import as_maker, owner_in_team
from apps.accounts.models import ObjectKind, Team
from apps.core.actor import Actor, Level, Role
from apps.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from apps.experiments import hot
from apps.experiments.models import LoggedModel, Run
from apps.registry.models import (
    ApproverGroup,
    Comment,
    ModelVersion,
    Override,
    Policy,
    PromotionRequest,
    RegisteredModel,
)

M = TypeVar("M", bound=Model)
MAX_NUMBER = 2**31 - 1


def get_model(actor: Actor, name: str, level: Level = Level.READ) -> RegisteredModel:
    """By name in the team that the request speaks for, else among what was granted; `Conflict` where that is two."""
    own = _in_own_team(actor, name)
    if own is not None:
        return _checked(actor, own, level)
    found = RegisteredModel.objects.listed_for(actor).filter(name=name).select_related("team").order_by("team__name")
    return _checked(actor, _the_one(actor, list(found), name), level)


def get_model_in(actor: Actor, team: str, name: str, level: Level = Level.READ) -> RegisteredModel:
    """By team and name, as in the addresses of pages."""
    if "\x00" in team + name:
        raise NotFound(_missing(name.replace("\x00", "")))
    return _checked(actor, _first(_models().filter(team__name=team, name=name), _missing(name)), level, _missing(name))


def get_model_by_id(actor: Actor, model_id: int, level: Level = Level.READ) -> RegisteredModel:
    """By its number, which is the id of permission objects."""
    missing = f"Registered Model with id={model_id} not found"
    return _checked(actor, _first(_models().filter(pk=model_id), missing), level, missing)


def get_version(actor: Actor, name: str, number: str | int, level: Level = Level.READ) -> ModelVersion:
    """A version by its model's name and its number, with model and team."""
    wanted = parse_number(number)
    try:
        model = get_model(actor, name, level)
    except NotFound as error:
        raise no_version(name, wanted) from error
    return _changeable(actor, version_of(model, wanted), level)


def get_version_in(actor: Actor, team: str, name: str, number: str | int, level: Level = Level.READ) -> ModelVersion:
    """A version by team, name and number, as in the addresses of pages."""
    return _changeable(actor, version_of(get_model_in(actor, team, name, level), parse_number(number)), level)


def version_of(model: RegisteredModel, number: int) -> ModelVersion:
    """A version of a model that was fetched with the level wanted."""
    version = ModelVersion.objects.filter(model=model, number=number).first()
    if version is None:
        raise no_version(model.name, number)
    version.model = model
    return version


def version_keys(model: RegisteredModel, numbers: Collection[int]) -> list[int]:
    """The primary keys of those of the numbered versions that there are, by number."""
    found = ModelVersion.objects.filter(model=model, number__in=numbers)
    return list(found.order_by("number").values_list("pk", flat=True)) if numbers else []


def get_version_by_id(actor: Actor, version_id: int) -> ModelVersion:
    """By its key, with model and team: for links of the audit log."""
    found = ModelVersion.objects.visible_to(actor).select_related("model__team").filter(pk=version_id)
    return _first(found, "No such model version.")


def get_request(actor: Actor, request_id: int) -> PromotionRequest:
    """A request about a model that the actor may read, with version, its maker, model and team."""
    found = PromotionRequest.objects.visible_to(actor)
    found = found.select_related("version__model__team", "version__owner", "requester")
    return _first(found.filter(pk=request_id), f"Promotion request {request_id} not found")


def get_comment(actor: Actor, comment_id: int) -> Comment:
    """A comment on a version that the actor may read."""
    found = Comment.objects.visible_to(actor).select_related("version__model__team")
    return _first(found.filter(pk=comment_id), f"Comment with id={comment_id} not found")


def get_policy(actor: Actor, policy_id: int) -> Policy:
    """A policy that the actor may see, with whose it is and whom it names."""
    found = Policy.objects.visible_to(actor).select_related("team", "model__team", "approver_team", "approver_group")
    return _first(found.filter(pk=policy_id), f"Policy {policy_id} not found.")


def get_group(actor: Actor, group_id: int) -> ApproverGroup:
    """A group of approvers that the actor may see, with its team."""
    found = ApproverGroup.objects.visible_to(actor).select_related("team")
    return _first(found.filter(pk=group_id), f"Approver group {group_id} not found.")


def knows_members(actor: Actor, group: ApproverGroup) -> bool:
    """Whether the actor may know who is in a group: who is in its team, and who sets policies that can name it."""
    if group.team_id is not None:
        return actor.is_admin or group.team_id in actor.roles
    return actor.is_admin or Role.ADMIN in actor.roles.values()


def get_override(actor: Actor, override_id: int) -> Override:
    """A move past a policy, for those who look at it afterwards, with maker, team and model."""
    found = Override.objects.visible_to(actor).select_related("team", "maker", "model__team")
    return _first(found.filter(pk=override_id), f"Override {override_id} not found.")


def level_of_model(actor: Actor, model: RegisteredModel) -> Level:
    """The level by role, grant or having made it."""
    return as_maker(actor, model.owner_id, stage_level(actor, model))


def stage_level(actor: Actor, model: RegisteredModel) -> Level:
    """The level by role or grant: what moving versions among stages goes by."""
    return level_on(actor, ObjectKind.REGISTERED_MODEL, model.pk, model.team_id)


def require_level(actor: Actor, model: RegisteredModel, level: Level, missing: str = "") -> None:
    """Raise unless the actor holds the level on a model that was fetched. No statement where a role gives it."""
    if actor.level_in(model.team_id) >= level:
        return
    doing = f"{level.word} the registered model '{model.name}'"
    require(level_of_model(actor, model), level, missing=missing or _missing(model.name), doing=doing)


def require_to_ask(actor: Actor, model: RegisteredModel, level: Level) -> None:
    """Raise unless the actor may ask about a model that was fetched: a project run asks for its owner."""
    require_level(owner_in_team(actor), model, level)


def is_of_own_experiment(actor: Actor, run: Run | None, logged: LoggedModel | None) -> bool:
    """Whether what a version is made of lies where the caller writes: true but for a project run, of another
    experiment or of nothing."""
    if actor.confined is None:
        return True
    experiments = {made.experiment_id for made in (run, logged) if made is not None}
    return experiments == {actor.confined.experiment_id}


def require_policies(actor: Actor, team: Team | None) -> None:
    """Policies and groups of approvers are the team administrators'; those of the site (None) the site's."""
    if team is None:
        require_admin(actor)
    elif not sets_policies(actor, team.pk):
        raise PermissionDenied(f"Permission denied: this wants the role admin in team {team.name}.")


def sets_policies(actor: Actor, team_id: int | None) -> bool:
    """Whether the actor administers a team, or the site (None), and so its policies, groups and overrides."""
    return actor.is_admin or (team_id is not None and actor.role_in(team_id) is Role.ADMIN)


def parse_number(written: str | int) -> int:
    """A version's number. Raises `InvalidInput`; one that no column holds is as good as 0, which nothing has."""
    text = str(written)
    if not (text.isascii() and text.removeprefix("-").isdecimal()):
        raise InvalidInput(f"Parameter 'version' must be an integer, got '{text[:100]}'.")
    number = int(text) if len(text) < 11 else 0
    return number if 0 < number <= MAX_NUMBER else 0


def _in_own_team(actor: Actor, name: str) -> RegisteredModel | None:
    """What most calls are about, by the statement that costs least."""
    if actor.team_id is None or actor.role_in(actor.team_id) is None:
        return None
    return hot.get_by(RegisteredModel, {"name": name, "team_id": actor.team_id}, "team")


def _checked(actor: Actor, model: RegisteredModel, level: Level, missing: str = "") -> RegisteredModel:
    require_level(actor, model, level, missing)
    return model


def _changeable(actor: Actor, version: ModelVersion, level: Level) -> ModelVersion:
    """A project run describes and labels what it, or another run of its experiment, registered, and reads the rest."""
    if actor.confined is None or level <= Level.READ:
        return version
    if not is_of_own_experiment(actor, version.source_run, version.logged_model):
        raise PermissionDenied("Permission denied: a project run changes versions of its own experiment alone.")
    return version


def _the_one(actor: Actor, found: list[RegisteredModel], name: str) -> RegisteredModel:
    own = [model for model in found if model.team_id == actor.team_id]
    if not found:
        raise no_model(name)
    if not own and len(found) > 1:
        teams = ", ".join(model.team.name for model in found)
        raise Conflict(f"Several teams granted you a registered model named '{name}': {teams}. Speak for one of them.")
    return (own or found)[0]


def _models() -> QuerySet[RegisteredModel]:
    return RegisteredModel.objects.select_related("team")


def no_model(name: str) -> NotFound:
    """That there is no such model, in the protocol's words."""
    return NotFound(_missing(name))


def no_version(name: str, number: int) -> NotFound:
    """That there is no such version, in the protocol's words."""
    return NotFound(f"Model Version (name={name[:256]}, version={number}) not found")


def _missing(name: str) -> str:
    return f"Registered Model with name={name[:256]} not found"


def _first(found: QuerySet[M], missing: str) -> M:
    row = found.first()
    if row is None:
        raise NotFound(missing)
    return row
