"""`slipway scheduler`: queues what is due. One of it runs in an installation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Tick until SIGTERM or Ctrl-C."""
    argparse.ArgumentParser("slipway scheduler", description="Queue what is due.").parse_args(arguments)
    from slipway.celery import app

    app.start(["--quiet", "beat", "--loglevel", "WARNING", "--pidfile", ""])
    return 0
