from __future__ import annotations

from apps.core.errors import InvalidInput, NotFound
from apps.experiments.actions.common import now_ms
from apps.registry.access import no_model, no_version
from apps.registry.models import ModelVersion, PromotionRequest, RegisteredModel

__all__ = ["MAX_COMMENT", "checked_comment", "lock_model", "lock_request", "lock_version", "now_ms"]

# The longest of the protocol.
MAX_COMMENT = 65_535


def lock_model(model: RegisteredModel) -> None:
    """Let nobody else move a version of the model until this transaction ends. Models come first of all locks.

    Raises `NotFound` where it is gone by now. SQLite's transactions are that lock already.
    """
    locked = RegisteredModel.objects.select_for_update(no_key=True).filter(pk=model.pk)
    if locked.values_list("pk", flat=True).first() is None:
        raise no_model(model.name)


def lock_version(version: ModelVersion) -> ModelVersion:
    """The version as it is now, with its model locked and the model's team kept. Raises `NotFound`."""
    lock_model(version.model)
    found = ModelVersion.objects.select_for_update(of=("self",), no_key=True).select_related("owner")
    fresh = found.filter(pk=version.pk).first()
    if fresh is None:
        raise no_version(version.model.name, version.number)
    fresh.model = version.model
    return fresh


def lock_request(request: PromotionRequest) -> PromotionRequest:
    """The request as it is now, with model, request and version locked, in this order. Raises `NotFound`."""
    lock_model(request.version.model)
    found = PromotionRequest.objects.select_for_update(of=("self",), no_key=True).select_related("requester")
    fresh = found.filter(pk=request.pk).first()
    if fresh is None:
        raise NotFound(f"Promotion request {request.pk} not found")
    fresh.version = lock_version(request.version)
    return fresh


def checked_comment(text: str, what: str = "comment", *, required: bool = False) -> str:
    """Somebody's words without the spaces around them. Raises `InvalidInput` where they are too long or missing."""
    stripped = text.strip()
    if required and not stripped:
        raise InvalidInput(f"'{what}' is missing: say why.")
    if len(stripped) > MAX_COMMENT:
        raise InvalidInput(f"'{what}' exceeds the maximum length of {MAX_COMMENT} characters")
    if "\0" in stripped or any("\ud800" <= character <= "\udfff" for character in stripped):
        raise InvalidInput(f"'{what}' holds a character that can't be kept.")
    return stripped
