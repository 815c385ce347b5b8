"""`slipway worker`: does what is queued. With `--beat` it is the scheduler too, for one machine alone."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import warnings
from collections.abc import Sequence

from celery import Celery

logger = logging.getLogger(__name__)

_SYSTEM_THREADS = 2


def main(arguments: Sequence[str]) -> int:
    """Work until SIGTERM or Ctrl-C; what was begun is finished first."""
    parser = argparse.ArgumentParser("slipway worker", description="Do the work that is queued.")
    parser.add_argument("--queues", metavar="NAMES", help="run projects of these queues alone, separated by commas")
    parser.add_argument("--concurrency", type=int, default=2, help="project runs done at once (default %(default)s)")
    parser.add_argument("--beat", action="store_true", help="be the scheduler too; only one may run")
    options = parser.parse_args(arguments)
    os.environ["SLIPWAY_WORKER_QUEUES"] = options.queues or "default"
    os.environ["SLIPWAY_WORKER_CONCURRENCY"] = str(options.concurrency)
    from slipway.celery import app

    # Celery warns of pickled messages sent to root; ours are JSON alone.
    warnings.filterwarnings("ignore", message="(?s)You're running the worker with superuser")
    argv = ["--quiet", "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    # Runs wait for their child, so threads do; the system's own work has two besides.
    system = 0 if options.queues else _SYSTEM_THREADS
    argv += ["--concurrency", str(options.concurrency + system), "--pool", "threads"]
    served = [f"projects.{name}" for name in (options.queues or "default").split(",")]
    argv += ["--queues", ",".join(served if options.queues else ["celery", *served])]
    if options.beat:
        threading.Thread(target=_tick, args=(app,), name="beat", daemon=True).start()
    app.start(argv)
    return 0


def _tick(app: Celery) -> None:
    """Celery's own `--beat` would be one more process, of 50 MB. Should the clock fail, the worker ends with it."""
    import django
    from celery.beat import Service

    try:
        # The clock reads the database; the worker, in its own thread, may not have set Django up yet.
        django.setup()
        Service(app, scheduler_cls=app.conf.beat_scheduler).start()
    except Exception:
        logger.exception("the scheduler failed")
    os.kill(os.getpid(), signal.SIGTERM)
