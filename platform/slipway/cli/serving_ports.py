"""`slipway serving-ports`: deployments' own HTTP ports. `slipway serving` starts it and keeps it running."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    import django

    django.setup()
    from apps.deployments.gateway import ports

    ports.run(ports.serve())
    return 0
