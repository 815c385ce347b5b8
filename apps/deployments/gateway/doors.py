"""The ways in: the site's, where the path names the deployment, and a deployment's own port, which serves it alone."""

from __future__ import annotations

from dataclasses import dataclass

SCOPE_KEY = "slipway.door"


@dataclass(frozen=True, slots=True)
class Door:
    """A deployment's own port. `is_open`: callers need not say who they are."""

    name: bytes
    is_open: bool
