"""`slipway worker`: does what is queued. With `--beat` it is the scheduler too, for one machine alone."""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import threading
import warnings
from collections.abc import Sequence

from celery import Celery
from celery.signals import heartbeat_sent

from slipway.alive import Alive

logger = logging.getLogger(__name__)

_SYSTEM_THREADS = 2
_MOST = 256


def main(arguments: Sequence[str]) -> int:
    """Work until SIGTERM or Ctrl-C; what was begun is finished first."""
    options = _parser().parse_args(arguments)
    os.environ["SLIPWAY_WORKER_QUEUES"] = ",".join(options.queues or ["default"])
    os.environ["SLIPWAY_WORKER_CONCURRENCY"] = str(options.concurrency)
    os.environ["SLIPWAY_WORKER_NAME"] = options.name
    from slipway.celery import app
    from slipway.tracing import start

    start("worker")
    # Celery warns of pickled messages sent to root; ours are JSON alone.
    warnings.filterwarnings("ignore", message="(?s)You're running the worker with superuser")
    argv = ["--quiet", "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    # Messages of runs only wake our own threads; the system's work is done in Celery's.
    argv += ["--concurrency", str(1 if options.queues else _SYSTEM_THREADS), "--pool", "threads"]
    served = [f"projects.{name}" for name in options.queues or ["default"]]
    argv += ["--queues", ",".join(served if options.queues else ["celery", *served])]
    # Celery's own pulse, which needs its loop and the broker.
    heartbeat_sent.connect(Alive().touch, weak=False)
    if options.beat:
        threading.Thread(target=_tick, args=(app,), name="beat", daemon=True).start()
    app.start(argv)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "slipway worker",
        description="Do the work that is queued: without --queues the system's own, and runs of the queue default.",
    )
    parser.add_argument("--queues", type=_queues, metavar="NAMES", help="runs of these alone, separated by commas")
    parser.add_argument(
        "--concurrency", type=_count, default=2, metavar="N", help="project runs done at once (default %(default)s)"
    )
    parser.add_argument("--name", type=_name, default="", help="how pages call it (default: the host's name)")
    parser.add_argument("--beat", action="store_true", help="be the scheduler too; only one may run")
    return parser


def _queues(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not re.fullmatch(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", name):
            raise argparse.ArgumentTypeError(f"{name!r} can't be the name of a queue")
    if not names:
        raise argparse.ArgumentTypeError("name at least one queue")
    return names


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST}")
    return int(text)


def _name(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", text):
        raise argparse.ArgumentTypeError("a name has up to 100 letters, digits and _ . -")
    return text


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
