"""What became of a deployment's own port, as its listener found."""

from __future__ import annotations

from apps.core.actor import Actor
from apps.deployments.models import Deployment


def note_port_error(actor: Actor, *, deployment_id: int, port: int, error: str) -> None:
    """Why the port can't be had now; empty where it can. Nothing for a deployment that has another by now.

    It is observed and no decision of anybody's, so it is no event.
    """
    Deployment.objects.filter(pk=deployment_id, port=port).update(port_error=error[:500])
