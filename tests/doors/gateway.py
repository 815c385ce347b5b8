"""Who gets through the gateway, which stands beside Django: its own routes, each with a path that is sent there."""

from __future__ import annotations

from tests.doors import READERS, Statuses

# By the route's name (`apps.deployments.gateway.routes.ROUTES`): what follows `/serve/<deployment>/`, and the doors.
GATEWAY_DOORS: dict[str, tuple[str, Statuses]] = {
    "invocations": ("invocations", READERS),
    "ping": ("ping", READERS),
    "health": ("health", READERS),
    "version": ("version", READERS),
    "v2": ("v2", READERS),
    "v2-health": ("v2/health/ready", READERS),
    "v2-model": ("v2/models/iris", READERS),
    "v2-infer": ("v2/models/iris/versions/1/infer", READERS),
}
