"""What a deployment may be called, which is a part of its address, and how long what is said of it may be."""

from __future__ import annotations

import re

from apps.core.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Pages and routes of their own.
RESERVED = frozenset({"new", "hosts", "export", "of", "openapi", "v2", "health", "metrics"})
MAX_DESCRIPTION = 10_000
MAX_REASON = 1000


def check_deployment_name(name: str) -> None:
    """Raises `InvalidInput`."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("A deployment's name has 1 to 63 small letters, digits and hyphens, as a host's has.")
    if name in RESERVED:
        raise InvalidInput(f"'{name}' is kept for pages of Slipway; choose another name.")


def check_description(description: str) -> None:
    """Raises `InvalidInput`."""
    if len(description) > MAX_DESCRIPTION:
        raise InvalidInput(f"A description has at most {MAX_DESCRIPTION} characters.")


def check_reason(reason: str) -> None:
    """Raise `InvalidInput` for a reason that is longer than is kept."""
    if len(reason) > MAX_REASON:
        raise InvalidInput(f"A reason has at most {MAX_REASON} characters.")
