"""Tells open pages that a deployment changed (`apps.core.live`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core.live import Pushes


def touch(deployment_id: int) -> None:
    """Say, after commit, that something of a deployment changed."""
    pushes.touch(deployment_id, "all")


def deployment_group(deployment_id: int) -> str:
    """The group that pages of a deployment listen to."""
    return f"deployment.{deployment_id}"


def messages_of(touched: Mapping[int, set[str]]) -> dict[str, dict[str, Any]]:
    """What the pages of each deployment are told."""
    return {deployment_group(key): {"type": "deployment.touched"} for key in touched}


pushes = Pushes[int]("deployments", messages_of)
