"""`slipway worker`: does what is queued. `--beat` runs the clock in the same process (for one machine alone)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Work until SIGTERM or Ctrl-C; what was begun is finished first."""
    parser = argparse.ArgumentParser("slipway worker", description="Do the work that is queued.")
    parser.add_argument("--concurrency", type=int, default=2, help="tasks done at once (default %(default)s)")
    parser.add_argument("--threads", action="store_true", help="threads, not processes: less memory, no time limit")
    parser.add_argument("--beat", action="store_true", help="run the scheduler here too; only one may run")
    options = parser.parse_args(arguments)
    from slipway.celery import app

    argv = ["--quiet", "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    argv += ["--concurrency", str(options.concurrency), "--pool", "threads" if options.threads else "prefork"]
    app.start([*argv, "--beat"] if options.beat else argv)
    return 0
