"""`slipway server`: pages and the API alone."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server
from granian.server.embed import Server as EmbeddedServer

from slipway.cli.net import port_number, refuse_open_host_without_login

_TARGET = "slipway.asgi:application"


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    refuse_open_host_without_login(options.host)
    listen: dict[str, Any] = {
        "address": options.host,
        "port": options.port,
        "interface": Interfaces.ASGI,
        "http": HTTPModes.http1,
        "log_level": LogLevels.error,
        "backlog": 1024,
    }
    if options.workers == 1:
        _serve_here(listen)
    else:
        from django.conf import settings

        _ = settings.DEBUG  # a wrong setting stops us here, not each of the workers
        with TemporaryDirectory(prefix="slipway-metrics-") as folder:
            # Workers add up what they count for /metrics in files there.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            _several_workers(options.workers, listen)
    return 0


def _several_workers(count: int, listen: dict[str, Any]) -> None:
    Server(_TARGET, workers=count, workers_kill_timeout=10, respawn_failed_workers=True, **listen).serve()


def _serve_here(listen: dict[str, Any]) -> None:
    """One worker needs no parent process: it saves 40 MB and half a second."""
    from slipway.asgi import application

    async def serve() -> None:
        server = EmbeddedServer(application, **listen)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        await server.serve()

    asyncio.run(serve())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway server", description="Serve pages and the API.", add_help=False)
    parser.add_argument("--help", action="help", help="show this and leave")
    parser.add_argument("-h", "--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("-p", "--port", type=port_number, default=5000, help="port to listen on (default %(default)s)")
    parser.add_argument("--workers", type=_count, default=1, help="processes that answer (default %(default)s)")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 64")
    return int(text)
