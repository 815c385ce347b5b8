"""The targets of this host, by name, with what it can't hold instances to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.errors import DomainError
from apps.deployments.configuration import TargetKind
from apps.deployments.targets.base import Target
from apps.deployments.targets.registry import target_of
from apps.runtime.abilities import abilities

logger = logging.getLogger(__name__)


def targets_here(root: Path) -> dict[str, Target]:
    """All whose libraries are here, whether something can be started there now or not.

    `root`: the supervisor's folder of instances.
    """
    found: dict[str, Target] = {}
    for kind in TargetKind:
        try:
            found[kind.value] = target_of(kind, root)
        except ImportError as error:
            # One that can't be loaded is no reason for the others not to serve.
            logger.warning("the target %s can't be had here: %s", kind, error)
    return found


def lacking(targets: Mapping[str, Target]) -> dict[str, list[str]]:
    """Why nothing can be started in each now, in sentences: an engine that is away, a cluster that isn't named."""
    return {kind: _lacks(kind, target) for kind, target in targets.items()}


def _lacks(kind: str, target: Target) -> list[str]:
    """One that can't even say what it lacks keeps none of the others from serving."""
    try:
        return list(target.lacks())
    except DomainError as error:
        return [error.message]
    except Exception as error:
        logger.exception("the target %s can't be asked", kind)
        return [f"It can't be asked: {type(error).__name__}."]


def abilities_here() -> Mapping[str, Any]:
    """For the host's row, as on a worker's page."""
    return {**abilities(), "address": settings.SERVING_ADDRESS}
