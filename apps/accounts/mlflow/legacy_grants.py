"""Rights of one person on one object, as older clients ask for them: a set of four routes for each kind of object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from apps.accounts import access, actions, selectors
from apps.accounts.kinds import Target, kind_of
from apps.accounts.mlflow.grants import refuse_to_lower, set_level
from apps.accounts.mlflow.shapes import Json, parse_permission, permission_name
from apps.accounts.models import ObjectKind, User
from apps.core.actor import Actor, Level
from apps.core.errors import AlreadyExists, NotFound
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request


class ExperimentPermission(Request):
    required: ClassVar[tuple[str, ...]] = ("experiment_id", "username")
    experiment_id: str = ""
    username: str = ""


class GivenExperimentPermission(ExperimentPermission):
    required: ClassVar[tuple[str, ...]] = ("experiment_id", "username", "permission")
    permission: str = ""


class ModelPermission(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "username")
    name: str = ""
    username: str = ""


class GivenModelPermission(ModelPermission):
    required: ClassVar[tuple[str, ...]] = ("name", "username", "permission")
    permission: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One person on one object of a kind; `parameter` is how the kind's routes call the object's reference."""

    actor: Actor
    kind: ObjectKind
    parameter: str
    reference: str
    username: str

    def create(self, permission: str) -> Json:
        level = parse_permission(permission)
        target, user = self._target(), self._person()
        if any(grant.user_id == user.pk for grant in selectors.grants_on(target)):
            named = f"{self.parameter}={self.reference}, username={self.username}"
            raise AlreadyExists(f"{self._word()} permission ({named}) already exists.")
        set_level(self.actor, target, user, level)
        return self._shown(target, user)

    def get(self) -> Json:
        target, user = self._target(), self._person()
        self._require_some(target, user)
        return self._shown(target, user)

    def update(self, permission: str) -> Json:
        level = parse_permission(permission)
        target, user = self._target(), self._person()
        self._require_some(target, user)
        set_level(self.actor, target, user, level)
        return {}

    def delete(self) -> Json:
        target = self._target()
        user = access.find_holder(target, self.username)
        if actions.revoke_grant(self.actor, target=target, to=user):
            return {}
        refuse_to_lower(user, target, Level.NONE)
        raise self._not_found()

    def _target(self) -> Target:
        return kind_of(self.kind).find(self.actor, self.reference, Level.MANAGE)

    def _person(self) -> User:
        return access.find_person(self.actor, self.username)

    def _require_some(self, target: Target, user: User) -> None:
        if selectors.level_of_person(user, target) is Level.NONE:
            raise self._not_found()

    def _shown(self, target: Target, user: User) -> Json:
        permission = permission_name(selectors.level_of_person(user, target))
        shown = {self.parameter: target.reference, "user_id": user.pk, "permission": permission}
        return {f"{self.kind.value}_permission": shown}

    def _not_found(self) -> NotFound:
        named = f"{self.parameter}={self.reference} and username={self.username}"
        return NotFound(f"{self._word()} permission with {named} not found")

    def _word(self) -> str:
        return self.kind.value.replace("_", " ").capitalize()


def _on_experiment(actor: Actor, request: ExperimentPermission) -> _Asked:
    return _Asked(actor, ObjectKind.EXPERIMENT, "experiment_id", request.experiment_id, request.username)


def _on_model(actor: Actor, request: ModelPermission) -> _Asked:
    return _Asked(actor, ObjectKind.REGISTERED_MODEL, "name", request.name, request.username)


@endpoint(None)
def create_experiment_permission(actor: Actor, request: GivenExperimentPermission) -> Any:
    return _on_experiment(actor, request).create(request.permission)


@endpoint(None, reads=True)
def get_experiment_permission(actor: Actor, request: ExperimentPermission) -> Any:
    return _on_experiment(actor, request).get()


@endpoint(None)
def update_experiment_permission(actor: Actor, request: GivenExperimentPermission) -> Any:
    return _on_experiment(actor, request).update(request.permission)


@endpoint(None)
def delete_experiment_permission(actor: Actor, request: ExperimentPermission) -> Any:
    return _on_experiment(actor, request).delete()


@endpoint(None)
def create_model_permission(actor: Actor, request: GivenModelPermission) -> Any:
    return _on_model(actor, request).create(request.permission)


@endpoint(None, reads=True)
def get_model_permission(actor: Actor, request: ModelPermission) -> Any:
    return _on_model(actor, request).get()


@endpoint(None)
def update_model_permission(actor: Actor, request: GivenModelPermission) -> Any:
    return _on_model(actor, request).update(request.permission)


@endpoint(None)
def delete_model_permission(actor: Actor, request: ModelPermission) -> Any:
    return _on_model(actor, request).delete()


ROUTES = [
    Route("POST", "2.0/mlflow/experiments/permissions/create", create_experiment_permission),
    Route("GET", "2.0/mlflow/experiments/permissions/get", get_experiment_permission),
    Route("PATCH", "2.0/mlflow/experiments/permissions/update", update_experiment_permission),
    Route("DELETE", "2.0/mlflow/experiments/permissions/delete", delete_experiment_permission),
    Route("POST", "2.0/mlflow/registered-models/permissions/create", create_model_permission),
    Route("GET", "2.0/mlflow/registered-models/permissions/get", get_model_permission),
    Route("PATCH", "2.0/mlflow/registered-models/permissions/update", update_model_permission),
    Route("DELETE", "2.0/mlflow/registered-models/permissions/delete", delete_model_permission),
]
