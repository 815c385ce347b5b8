"""The site's connections: calls of models to the gateway at once, all else to the application."""

from __future__ import annotations

from typing import Any

from slipway.asgi import gateway

# After Django is set up:
from apps.deployments.gateway.front import Front  # isort: skip


class SiteFront(Front):
    """Named in `slipway.cli.server`, so that processes that are started anew find it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(gateway, **given)
