"""Who uses versions right now, such as deployments: apps above say so here, and are not pulled the ground from under.

Asked within the transaction of the change, after `lock_model`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.registry.models import ModelVersion, RegisteredModel

# The versions with these keys that somebody uses: of each a sentence that says who, and what to do first.
Users = Callable[[Sequence[int]], list[str]]
_users: list[Users] = []


@dataclass(frozen=True, slots=True)
class Use:
    """Something that serves a version: what it is called, a word about it, and its page."""

    id: str
    name: str
    note: str
    url: str


# What the actor may see of those that serve the version with this key.
Served = Callable[[Actor, int], list[Use]]
_served: list[Served] = []


def register_users(users: Users) -> None:
    """Let an app say which versions it uses."""
    _users.append(users)


def register_served(served: Served) -> None:
    """Let an app say where versions are served, for the graph around one."""
    _served.append(served)


def uses_of(actor: Actor, version: ModelVersion) -> list[Use]:
    """Where a version is served, as far as the actor may see it."""
    return [use for served in _served for use in served(actor, version.pk)]


def require_unused(version: ModelVersion, doing: str) -> None:
    """Raise `Conflict` where somebody uses a version: then it can't be deleted, nor sent to Archived by hand."""
    _refuse([version.pk], f"{version} can't be {doing}")


def require_model_unused(model: RegisteredModel, doing: str) -> None:
    """As `require_unused`, for all versions of a model."""
    _refuse(list(model.versions.values_list("pk", flat=True)), f"The model {model.name} can't be {doing}")


def _refuse(versions: Sequence[int], what: str) -> None:
    said = [sentence for users in _users for sentence in users(versions)] if versions else []
    if said:
        raise Conflict(f"{what}: {' '.join(said[:5])}")
