"""What may not happen to a version or model while a policy governs where it is: it would go past the policy.

Called within the transaction of the change, after `lock_model`, so that nothing moves between the look and the change.
"""

from __future__ import annotations

from collections.abc import Collection

from apps.core.actor import Actor, Level, Role
from apps.core.errors import Conflict, PermissionDenied
from apps.registry import access
from apps.registry.addresses import model_url, version_url
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from apps.registry.policies import PolicyBook
from apps.registry.stages import Slot, Stage


def slots_of(version: ModelVersion) -> list[Slot]:
    """Where a version is: its stage unless that is None, and its aliases. One statement."""
    aliases = Alias.objects.filter(version=version).order_by("name").values_list("name", flat=True)
    return _stages([version.stage]) + [Slot.alias(name) for name in aliases]


def require_deletable(actor: Actor, version: ModelVersion) -> None:
    """Raise `Conflict` for a version in a slot that a policy governs, `PermissionDenied` without a slot's right."""
    model, slots = version.model, slots_of(version)
    book = PolicyBook.load(model)
    if held := [slot for slot in slots if book.governs(slot)]:
        raise Conflict(
            f"{version} is in {_listed(held)}, which a policy governs, so it can't be deleted. Move it out first: ask "
            f"with POST transition-requests/create, or on {version_url(version)}.",
            details={"slots": [str(slot) for slot in held]},
        )
    needed = max((slot.level for slot in slots if _is_guarded(slot)), default=None)
    if needed is not None and access.stage_level(actor, model) < needed:
        raise PermissionDenied(
            f"Permission denied: {version} is in {_listed(slots)}; deleting it wants the right '{needed.word}'."
        )


def require_free(actor: Actor, model: RegisteredModel, doing: str) -> PolicyBook:
    """Raise unless a model may be renamed or deleted: `Conflict` while a policy governs where a version of it is,
    `PermissionDenied` without the right over a stage in use, and for who would shed policies of the model's own, since
    another model could have its name then. Returns the policies. Five statements at most.
    """
    book = PolicyBook.load(model)
    if book.own and actor.role_in(model.team_id) is not Role.ADMIN:
        raise PermissionDenied(
            f"Permission denied: {model.name} has policies of its own ({_listed([each.slot for each in book.own])}), "
            f"so it is {doing} by those who set them: the administrators of team {model.team.name}."
        )
    used = [] if book.is_empty and access.stage_level(actor, model) >= Level.PRODUCTION else _used(model)
    if held := [slot for slot in used if book.governs(slot)]:
        raise Conflict(
            f"Versions of {model.name} are in {_listed(held)}, which a policy governs, so the model can't be {doing}. "
            f"Move them out first: ask with POST transition-requests/create, or on {model_url(model)}.",
            details={"slots": [str(slot) for slot in held]},
        )
    needed = max((slot.level for slot in used if _is_guarded(slot)), default=None)
    if needed is not None and access.stage_level(actor, model) < needed:
        raise PermissionDenied(
            f"Permission denied: versions of {model.name} are in {_listed(used)}; that it is {doing} wants the right "
            f"'{needed.word}'."
        )
    return book


def _used(model: RegisteredModel) -> list[Slot]:
    stages = ModelVersion.objects.filter(model=model).order_by().values_list("stage", flat=True).distinct()
    aliases = Alias.objects.filter(model=model).order_by("name").values_list("name", flat=True)
    return _stages(stages) + [Slot.alias(name) for name in aliases]


def _stages(names: Collection[str]) -> list[Slot]:
    return [Slot.stage(name) for name in names if name != Stage.NONE]


def _is_guarded(slot: Slot) -> bool:
    """Production and Staging, and aliases called so."""
    return slot.namesake is not None


def _listed(slots: Collection[Slot]) -> str:
    return ", ".join(str(slot) for slot in slots)
